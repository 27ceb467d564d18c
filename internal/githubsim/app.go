package githubsim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"time"
)

// An App is a registered GitHub App. Only Sim.App has a key, a webhook and an
// installation; the others post check runs through verbs.
type App struct {
	ID            int64
	Slug          string
	Name          string
	PrivateKeyPEM []byte // PKCS#1, as GitHub hands it out
	WebhookSecret []byte

	key         *rsa.PublicKey
	permissions map[string]string
	bot         *account
	created     time.Time
}

// DefaultPermissions returns what the App is granted when a story does not say:
// what Countersign asks for, and nothing else.
func DefaultPermissions() map[string]string {
	return map[string]string{
		"metadata": "read", "contents": "read", "pull_requests": "read", "checks": "write", "statuses": "write",
		"actions": "read", "deployments": "write", "merge_queues": "read", "members": "read", "issues": "read",
	}
}

// events are what the App is subscribed to.
func (a *App) events() []string {
	return []string{"check_run", "create", "delete", "issues", "member", "membership", "merge_group", "organization",
		"pull_request", "pull_request_review", "push", "repository_ruleset", "status", "team"}
}

// newApp makes the App under test: a fresh key and a fresh webhook secret.
func newApp(random io.Reader) (App, error) {
	key, err := rsa.GenerateKey(random, 2048)
	if err != nil {
		return App{}, fmt.Errorf("generating the App's key: %w", err)
	}
	secret := make([]byte, 32)
	if _, err := io.ReadFull(random, secret); err != nil {
		return App{}, fmt.Errorf("generating the webhook secret: %w", err)
	}
	return App{
		ID: 4242, Slug: "countersign", Name: "Countersign",
		PrivateKeyPEM: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
		WebhookSecret: []byte(hex.EncodeToString(secret)),
		key:           &key.PublicKey,
	}, nil
}

// SetPermissions changes what the App's installations may do from the next token on.
func (s *Sim) SetPermissions(permissions map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.App.permissions = maps.Clone(permissions)
}

// AddApp registers another application, so that its check runs can be posted.
// An ID of 0 is the next free one.
func (s *Sim) AddApp(slug string, id int64) App {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.apps[slug]; a != nil {
		return *a
	}
	if id == 0 {
		id = s.nextID()
	}
	return *s.register(&App{ID: id, Slug: slug, Name: slug}, 0)
}

// register adds an application and its bot account; botID 0 is the next free id.
func (s *Sim) register(a *App, botID int64) *App {
	a.created = s.clock()
	a.bot = s.addUser(User{Login: a.Slug + "[bot]", ID: botID, Type: TypeBot, NoMail: true})
	a.bot.app = a
	email := fmt.Sprintf("%d+%s@users.noreply.github.com", a.bot.id, a.bot.login)
	a.bot.emails = []string{email}
	s.keep(a.bot)
	s.apps[a.Slug] = a
	return a
}

// guid returns a random delivery id in the form of a version 4 UUID.
func (s *Sim) guid() string {
	var b [16]byte
	if _, err := io.ReadFull(s.rand, b[:]); err != nil {
		// An injected source that runs dry must not stop a story; ids stay unique.
		_, _ = rand.Read(b[:])
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
