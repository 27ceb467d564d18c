package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A Config is the server's configuration file, in YAML. Every key stands here
// with what it means; `countersign serve --help` prints the same words. Secrets
// are paths to files that only the server can read. Relative paths are relative
// to the directory of the configuration file. A key can be written with underscores
// in place of its hyphens.
type Config struct {
	Listen string       `yaml:"listen" default:"127.0.0.1:8080" doc:"address to accept webhooks on, host:port; put a TLS proxy before it"`
	Data   string       `yaml:"data" doc:"directory for the queue, the records and the transparency log"`
	GitHub GitHubConfig `yaml:"github"`
	Floor  FloorConfig  `yaml:"floor"`
	Jira   JiraConfig   `yaml:"jira"`
	GitLab GitLabConfig `yaml:"gitlab"`
	Keys   KeysConfig   `yaml:"keys"`
	Log    LogConfig    `yaml:"log"`
	Queue  QueueConfig  `yaml:"queue"`
}

// A GitHubConfig says which GitHub App the server is.
type GitHubConfig struct {
	URL            string `yaml:"url" default:"https://api.github.com/" doc:"API address; https://HOST/api/v3/ for GitHub Enterprise Server"`
	AppID          int64  `yaml:"app-id" doc:"numeric id of the GitHub App"`
	PrivateKey     string `yaml:"private-key-file" doc:"the App's private key (PEM)"`
	Secret         string `yaml:"webhook-secret-file" doc:"the App's webhook secret, at least 16 characters"`
	PreviousSecret string `yaml:"previous-webhook-secret-file" default:"" doc:"the webhook secret before the last change of it; optional"`
	CheckName      string `yaml:"check-name" default:"countersign" doc:"name of the check run to require in branch protection"`
}

// A FloorConfig says where the policies lie that repositories can only tighten.
type FloorConfig struct {
	Repository oneOrMore `yaml:"repository" default:"" doc:"repository that keeps the floor of its owner's repositories, such as acme/governance, read at the tip of its default branch; a list, one an owner, for several installations; optional"`
	Path       string    `yaml:"path" default:".countersign.yml" doc:"path of the floor in it"`
}

// A oneOrMore is a list that is written as a single text where it has one item.
type oneOrMore []string

// UnmarshalYAML reads either form.
func (l *oneOrMore) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode {
		var one string
		if err := n.Decode(&one); err != nil {
			return err
		}
		*l = oneOrMore{one}
		return nil
	}
	return n.Decode((*[]string)(l))
}

// A KeysConfig says where the signing keys are.
type KeysConfig struct {
	Directory  string `yaml:"directory" doc:"directory that countersign keygen wrote"`
	Passphrase string `yaml:"passphrase-file" doc:"file with the passphrase of the keys"`
}

// A LogConfig sets up the transparency log. Shorter times cost more disk writes:
// about six flushes per batch and two per checkpoint.
type LogConfig struct {
	BatchAge   time.Duration `yaml:"batch-age" default:"2ms" doc:"how long the log waits for the rest of a group of records once it has the first"`
	Checkpoint time.Duration `yaml:"checkpoint-interval" default:"100ms" doc:"how often a new checkpoint is published, 100ms at least"`
}

// A QueueConfig sets up the inbox of deliveries and their jobs.
type QueueConfig struct {
	Workers    int           `yaml:"workers" default:"64" doc:"how many deliveries are worked on at a time"`
	Attempts   int           `yaml:"attempts" default:"8" doc:"how often a failing assessment is tried before it ends as no decision"`
	KeepBodies time.Duration `yaml:"keep-bodies" default:"168h" doc:"how long the bodies of worked deliveries are kept; their ids are kept for ever"`
}

// maxConfig bounds the configuration file, in bytes.
const maxConfig = 1 << 20

// readConfig reads and checks a configuration file.
func readConfig(name string) (Config, error) {
	f, err := os.Open(name)
	if err != nil {
		return Config{}, fmt.Errorf("reading the configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig))
	if err != nil {
		return Config{}, fmt.Errorf("reading the configuration: %w", err)
	}
	c, err := parseConfig(name, text)
	if err != nil {
		return Config{}, err
	}
	c.resolve(filepath.Dir(name))
	return c, nil
}

func parseConfig(name string, text []byte) (Config, error) {
	var c Config
	setDefaults(reflect.ValueOf(&c).Elem())
	text, err := hyphened(name, text)
	if err != nil {
		return Config{}, err
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, errors.New(plainly(name, err))
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Config{}, fmt.Errorf("%s: a second YAML document follows the configuration; take it out", name)
	}
	return c, c.check(name)
}

var (
	atLine  = regexp.MustCompile(`^(?:yaml: )?(?:  )?line (\d+): `)
	unknown = regexp.MustCompile(`field (\S+) not found in type \S+`)
	wrong   = regexp.MustCompile(`cannot unmarshal !!\w+ (.*) into (\S+)`)
)

// plainly says what the decoder found in words for the operator, each line with
// file and line.
func plainly(name string, err error) string {
	var lines []string
	found := []string{err.Error()}
	var all *yaml.TypeError
	if errors.As(err, &all) {
		found = all.Errors
	}
	for _, text := range found {
		text = strings.TrimPrefix(text, "yaml: ")
		text = unknown.ReplaceAllString(text, `unknown key "$1"; countersign serve --help lists the keys`)
		text = wrong.ReplaceAllString(text, "$1 is not of type $2")
		lines = append(lines, atLine.ReplaceAllString(name+":"+text, ""))
	}
	for i, text := range found {
		if m := atLine.FindStringSubmatch(text); m != nil {
			rest := strings.TrimPrefix(lines[i], name+":")
			lines[i] = name + ":" + m[1] + ": " + atLine.ReplaceAllString(rest, "")
		}
	}
	return strings.Join(lines, "\n")
}

// check says what is missing or impossible, everything at once.
func (c Config) check(name string) error {
	var problems []error
	need := func(key, value string) {
		if value == "" {
			problems = append(problems, fmt.Errorf("%s: %s is missing: %s", name, key, docs()[key]))
		}
	}
	need("data", c.Data)
	need("github.private-key-file", c.GitHub.PrivateKey)
	need("github.webhook-secret-file", c.GitHub.Secret)
	need("keys.directory", c.Keys.Directory)
	need("keys.passphrase-file", c.Keys.Passphrase)
	if c.GitHub.AppID <= 0 {
		problems = append(problems, fmt.Errorf("%s: github.app-id is missing: %s", name, docs()["github.app-id"]))
	}
	problems = append(problems, c.Jira.check(name)...)
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		problems = append(problems, fmt.Errorf("%s: listen: %w", name, err))
	}
	if c.Log.Checkpoint < 100*time.Millisecond {
		problems = append(problems, fmt.Errorf("%s: log.checkpoint-interval: %s is under 100ms", name, c.Log.Checkpoint))
	}
	for key, bad := range map[string]bool{
		"log.batch-age": c.Log.BatchAge <= 0, "queue.workers": c.Queue.Workers <= 0, "queue.attempts": c.Queue.Attempts <= 0,
		"queue.keep-bodies": c.Queue.KeepBodies <= 0,
	} {
		if bad {
			problems = append(problems, fmt.Errorf("%s: %s has to be above zero: %s", name, key, docs()[key]))
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(problems...)
}

// resolve makes the paths of the file absolute or relative to the working directory.
func (c *Config) resolve(dir string) {
	for _, p := range []*string{&c.Data, &c.GitHub.PrivateKey, &c.GitHub.Secret, &c.GitHub.PreviousSecret, &c.Keys.Directory, &c.Keys.Passphrase,
		&c.Jira.Token, &c.Jira.ClientSecret, &c.GitLab.Token} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

// setDefaults fills a configuration from the default tags of its fields.
func setDefaults(v reflect.Value) {
	for i := range v.NumField() {
		field, tag := v.Field(i), v.Type().Field(i).Tag.Get("default")
		if field.Kind() == reflect.Struct {
			setDefaults(field)
			continue
		}
		if tag == "" {
			continue
		}
		if err := yaml.Unmarshal([]byte(tag), field.Addr().Interface()); err != nil {
			panic("default of " + v.Type().Field(i).Name + ": " + err.Error())
		}
	}
}

// A configKey is one key of the configuration file as --help lists it.
type configKey struct{ name, fallback, doc string }

// configKeys lists every key of the configuration file in the order of the type.
func configKeys() []configKey {
	var keys []configKey
	var walk func(t reflect.Type, prefix string)
	walk = func(t reflect.Type, prefix string) {
		for i := range t.NumField() {
			f := t.Field(i)
			name := prefix + f.Tag.Get("yaml")
			if f.Type.Kind() == reflect.Struct {
				walk(f.Type, name+".")
				continue
			}
			keys = append(keys, configKey{name: name, fallback: f.Tag.Get("default"), doc: f.Tag.Get("doc")})
		}
	}
	walk(reflect.TypeFor[Config](), "")
	return keys
}

// docs returns what every key means.
func docs() map[string]string {
	all := map[string]string{}
	for _, k := range configKeys() {
		all[k.name] = k.doc
	}
	return all
}
