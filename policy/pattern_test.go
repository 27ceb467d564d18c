package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/policy"
)

// TestPathPatterns shows which paths each form of pattern matches.
func TestPathPatterns(t *testing.T) {
	for pattern, paths := range map[string]struct{ yes, no []string }{
		"CODEOWNERS":           {[]string{"CODEOWNERS", "docs/CODEOWNERS", "a/b/CODEOWNERS", "CODEOWNERS/inside"}, []string{"CODEOWNERS.md", "codeowners"}},
		"/go.mod":              {[]string{"go.mod"}, []string{"tools/go.mod"}},
		"*.yml":                {[]string{"a.yml", "x/.b.yml"}, []string{"a.yaml", "a.yml/inside"}},
		"deploy/*.yml":         {[]string{"deploy/a.yml"}, []string{"deploy/x/a.yml", "x/deploy/a.yml"}},
		".github/workflows/**": {[]string{".github/workflows/a.yml", ".github/workflows/x/b"}, []string{".github/a.yml", "x/.github/workflows/a.yml"}},
		".github/workflows":    {[]string{".github/workflows/a.yml", ".github/workflows"}, []string{".github/workflows-old/a.yml"}},
		"secrets/":             {[]string{"secrets/key", "a/secrets/b/key"}, []string{"secrets", "a/secretsx/key"}},
		"/infra/":              {[]string{"infra/a", "infra/b/c"}, []string{"x/infra/a", "infra"}},
		"**":                   {[]string{"a", "a/b/c", ".hidden/x"}, nil},
		"src/{a,b}/*.go":       {[]string{"src/a/x.go", "src/b/y.go"}, []string{"src/c/x.go"}},
	} {
		p := parsed(t, minimal(`    protected-paths: [{paths: ["`+pattern+`"], from: [x]}]`, "roles: {x: [permission:read]}"))
		matches := p.Changes[0].ProtectedPaths[0].Paths[0].Matches
		for _, path := range paths.yes {
			require.True(t, matches(path), "%s should match %s", pattern, path)
		}
		for _, path := range paths.no {
			require.False(t, matches(path), "%s should not match %s", pattern, path)
		}
	}
}

// TestPatternsThatMatchNothing: what looks as if it protected a path and does not is a
// mistake.
func TestPatternsThatMatchNothing(t *testing.T) {
	for _, pattern := range []string{"./deploy/**", "../x", "a//b", "/./c", "deploy/..", "**/..", "a/{b,.}/c", "{./,}a"} {
		_, err := policy.Parse("p.yml", []byte(minimal(`    protected-paths: [{paths: ["`+pattern+`"], from: [x]}]`, "roles: {x: [permission:read]}")))
		require.ErrorContains(t, err, "no path has a part that is empty, . or ..", pattern)
	}
	for _, pattern := range []string{".github/**", "..a/b", "a/.../b", "{,x/}a", "docs/"} {
		_, err := policy.Parse("p.yml", []byte(minimal(`    protected-paths: [{paths: ["`+pattern+`"], from: [x]}]`, "roles: {x: [permission:read]}")))
		require.NoError(t, err, pattern)
	}
}

// TestBranchPatterns: a star stays between two slashes.
func TestBranchPatterns(t *testing.T) {
	p := parsed(t, `{version: 1, owner: a, changes: [{branches: ["release/*", "hotfix/**", "main"]}]}`)
	for branch, want := range map[string]bool{
		"main": true, "release/1": true, "release/1/2": false, "hotfix/1/2": true, "mainline": false, "Main": false, "": false,
	} {
		require.Equal(t, want, p.Governs(branch), branch)
	}
}
