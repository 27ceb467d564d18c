# What each target does stands beside it. All of them need only Go and git;
# npm, where it is there, adds GitHub's own descriptions to the tests.

staticcheck := honnef.co/go/tools/cmd/staticcheck@v0.8.2
govulncheck := golang.org/x/vuln/cmd/govulncheck@v1.6.0
contract    := internal/githubsim/contract
fuzztime    := 15s

.PHONY: test race bench lint cover mutate fuzz demo descriptions

# test runs every test, the simulator's checked against GitHub's descriptions, and sees
# that they reach all of the judgement.
test: descriptions
	go test ./...
	@$(MAKE) --no-print-directory cover

# descriptions installs GitHub's published descriptions, pinned, for the tests.
descriptions:
	@if command -v npm >/dev/null; then \
		cmp -s $(contract)/package-lock.json $(contract)/node_modules/.installed || { \
		npm ci --prefix $(contract) --ignore-scripts --no-audit --no-fund --loglevel=error && \
		cp $(contract)/package-lock.json $(contract)/node_modules/.installed; }; \
	else echo "npm is not installed: tests against GitHub's descriptions will say that they are skipped"; fi

# race runs the tests of everything that does several things at a time under the
# race detector.
race:
	go test -race ./change ./gate ./webhook ./evidence ./internal/turns ./internal/dirlock

# bench prints what an assessment costs: API requests, also against assessing on every
# delivery and against the figure that is published of policy-bot, latency, rate,
# processor time and memory. Latency and what follows are those of the server as its own
# process; GitHub is played to it from a tape, so that nothing else is measured. No
# figure is a test: a machine that does other things as well prints other ones.
bench:
	@go test -run '^$$' -bench Evaluate -benchmem ./policy
	@go test -run '^$$' -bench 'Requests|Life|SixtyApprovals' -benchtime 1x ./cmd/countersign
	@go test -run '^$$' -bench Latency -benchtime 100x ./cmd/countersign
	@go test -run '^$$' -bench Throughput -benchtime 3000x ./cmd/countersign

# lint checks format, vet, staticcheck, the arrows between packages and known
# vulnerabilities. The vulnerability database is on the network; where it can not
# be reached, that check says so.
lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not formatted:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go run $(staticcheck) ./...
	go test -count=1 ./internal/arrows
	@go run $(govulncheck) ./... > .vuln 2>&1; status=$$?; cat .vuln; \
	if [ $$status -ne 0 ] && grep -qE 'dial tcp|no such host|fetching vulnerabilities|Forbidden|proxyconnect' .vuln; then \
		echo "govulncheck: the vulnerability database can not be reached, nothing was checked"; status=0; fi; rm -f .vuln; exit $$status

# cover prints how much of the judgement its own tests reach, and fails below all of it.
cover:
	@go test -short -coverprofile=.cover ./policy > /dev/null || { rm -f .cover; go test -short ./policy; exit 1; }
	@go tool cover -func=.cover | awk '$$NF != "100.0%"'; \
	go tool cover -func=.cover | awk 'END { print "policy:", $$NF; exit $$NF != "100.0%" }'; status=$$?; rm -f .cover; exit $$status

# mutate turns each comparison in the judgement into another and asks whether a test
# notices. It takes some minutes and is run by hand.
mutate:
	go run ./internal/mutation -expected internal/mutation/policy.txt ./policy

# fuzz runs every fuzz target for a while (fuzztime=15s each).
fuzz:
	@go test -list '^Fuzz' ./... | awk '/^Fuzz/{f[n++]=$$1} /^ok/{for(i=0;i<n;i++)print $$2, f[i]; n=0}' | \
	while read -r pkg target; do echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(fuzztime) $$pkg || exit 1; done

demo:
	go run ./cmd/countersign demo
