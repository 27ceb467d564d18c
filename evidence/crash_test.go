package evidence

const crashDir = "COUNTERSIGN_TEST_CRASH_DIR"

func writeUntilKilled(dir string) int { return 0 }
