// Package webhook is the server: it receives a forge's deliveries, stores them
// durably, acknowledges them, and works them until the changes they hint at are
// assessed.
//
// It promises:
//
//   - 202 is answered only after the delivery is on disk (SQLite, WAL,
//     synchronous=FULL). What is acknowledged is worked at least once, whatever
//     happens to the process; a disk that refuses is answered 503.
//   - A delivery id is worked once. The forge's redelivery of one that is stored
//     is acknowledged as a duplicate.
//   - A delivery is a hint. What the forge adapter reads from the stored body is
//     which changes to look at and which cached answers to forget, nothing else.
//   - Whether a hint is worth a look is the assessor's to say. What may wait waits
//     Config.Linger for others to share its look; where others are sure to come, such
//     as the last of several checks, for them, and half a minute at most.
//   - What fails is tried again with growing waits, and ends visibly: after the
//     last attempt the change is given up, which blocks it.
//   - Work that a killed process left behind is taken up when the next one
//     starts, not when a lease runs out.
//
// Words:
//
//   - The inbox is the table of deliveries: id, event, raw body. Bodies are
//     dropped after a week, ids are kept for ever.
//   - A job is River's row that a delivery is to be worked. It holds the number
//     of the inbox row and nothing else, and is inserted in the same transaction.
//     What a delivery leads to beyond the changes that it names, such as every open
//     change of an installation, becomes jobs of their own: see spread.go.
//   - A run is one call of Assessor.Assess. Jobs about the same change that wait
//     at the same time share a run: see internal/turns.
//
// The data directory holds queue.sqlite with its -wal and -shm files, and
// LOCK-queue, which the one server that may use them holds locked.
//
// # Latency
//
// The work on a delivery begins with its commit, in this process: see headStart. The
// job takes over what was begun, and does it all after a crash or when too much has
// begun already.
//
// River polls for jobs where the database cannot notify. Polling often enough
// would cost a write transaction each time, so the driver is given a listener
// that this process itself wakes after a commit (see wake), and River's poll,
// twice a second, is left to find the jobs that were put off.
//
// Deliveries of 20 KB on two cores that other programs shared (load 13, one fsync
// 0.85 ms at the median), by the benchmarks of this package: the assessment
// begins 4 ms after the delivery was sent and the acknowledgement comes after
// 4 ms, at the median; 16 senders at once are answered after 27 to 82 ms, 150 to
// 400 in a second, each costing 1.6 to 1.9 ms of processor time, the sender's
// included; a server with nothing to do uses 0.9 % of a core.
package webhook
