package github

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	testSecret = "0123456789abcdef-current"
	oldSecret  = "0123456789abcdef-previous"
	testApp    = 4242
)

// testKey is made once: an RSA key costs tenths of a second.
var testKey = sync.OnceValue(func() []byte {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
})

// noon is the time of every test's clock.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func testConfig(url string) Config {
	return Config{
		BaseURL: url, AppID: testApp, PrivateKey: testKey(), Secrets: [][]byte{[]byte(testSecret), []byte(oldSecret)},
		Now: func() time.Time { return noon },
	}
}

func newForge(t testing.TB, url string) *Forge {
	t.Helper()
	f, err := New(testConfig(url))
	require.NoError(t, err)
	return f
}

func TestNewRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"no secret":    func(c *Config) { c.Secrets = nil },
		"empty secret": func(c *Config) { c.Secrets = [][]byte{[]byte(testSecret), {}} },
		"blank secret": func(c *Config) { c.Secrets = [][]byte{[]byte("                    ")} },
		"short secret": func(c *Config) { c.Secrets = [][]byte{[]byte("0123456789abcde")} },
		"no key":       func(c *Config) { c.PrivateKey = nil },
		"not a key": func(c *Config) {
			c.PrivateKey = []byte("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n")
		},
		"no application": func(c *Config) { c.AppID = 0 },
		"plain http":     func(c *Config) { c.BaseURL = "http://github.example/api/v3/" },
		"ftp":            func(c *Config) { c.BaseURL = "ftp://127.0.0.1/" },
		"password":       func(c *Config) { c.BaseURL = "https://ada:secret@github.example/" },
	} {
		t.Run(name, func(t *testing.T) {
			c := testConfig("https://github.example/api/v3")
			_, err := New(c)
			require.NoError(t, err)
			spoil(&c)
			_, err = New(c)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "secret@")
		})
	}
}

func TestEnterpriseServerAddresses(t *testing.T) {
	f := newForge(t, "https://github.example/api/v3")
	require.Equal(t, "https://github.example/api/v3/", f.base.String())
	u, err := f.base.Parse(f.graphqlPath())
	require.NoError(t, err)
	require.Equal(t, "https://github.example/api/graphql", u.String())
	require.Equal(t, "github.example", f.host)

	f = newForge(t, "")
	u, err = f.base.Parse(f.graphqlPath())
	require.NoError(t, err)
	require.Equal(t, "https://api.github.com/graphql", u.String())
	require.Equal(t, "github.com", f.host)
	require.Equal(t, "https://github.com", f.web)
}
