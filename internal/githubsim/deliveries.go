package githubsim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// What GitHub grants a receiver.
const (
	deliveryTimeout = 10 * time.Second
	keptDeliveries  = 10000 // the newest ones that can be listed and sent again
)

// outgoing is one payload on its way.
type outgoing struct {
	id           int64
	guid         string
	event        string
	action       string
	installation int64
	repository   int64
	body         record
	raw          []byte
	redelivery   bool
}

// A Delivery is one attempt to deliver a payload, as the hook delivery API lists
// it.
type Delivery struct {
	ID         int64
	GUID       string // the same when it is delivered again
	Event      string
	Action     string
	At         time.Time
	Took       time.Duration
	StatusCode int    // 0 when there was no answer
	Status     string // such as "OK", or why there was no answer
	Redelivery bool
	Body       []byte

	installation, repository int64
}

// outbox sends deliveries one after the other, in order, and never twice by
// itself. It has a lock of its own, because it sends while verbs go on.
type outbox struct {
	sim    *Sim
	client *http.Client

	mu       sync.Mutex
	changed  *sync.Cond
	url      string
	waiting  []outgoing
	sending  bool
	closed   bool
	done     chan struct{}
	sent     []Delivery
	checkers []func(event string, body []byte)
}

func newOutbox(s *Sim) *outbox {
	o := &outbox{sim: s, done: make(chan struct{}), client: &http.Client{
		Timeout:       deliveryTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	o.changed = sync.NewCond(&o.mu)
	return o
}

// DeliverTo sets the address of the App's webhook. Without one, or with "",
// nothing is delivered, and what happens meanwhile is never delivered.
func (s *Sim) DeliverTo(url string) {
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	s.outbox.url = url
}

// Deliveries returns every attempt so far, the oldest first.
func (s *Sim) Deliveries() []Delivery {
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	return append([]Delivery(nil), s.outbox.sent...)
}

// OnDelivery has check called with every payload before it is sent, even where
// there is nowhere to send it.
func (s *Sim) OnDelivery(check func(event string, body []byte)) {
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	s.outbox.checkers = append(s.outbox.checkers, check)
}

// add puts a payload in the outbox, its bytes fixed now. The caller holds the
// simulator's mu.
func (o *outbox) add(m outgoing) {
	raw, err := json.Marshal(m.body)
	if err != nil {
		panic("githubsim: a payload that is not JSON: " + err.Error()) // a bug here: payloads are maps of plain values
	}
	m.raw, m.body, m.guid, m.id = raw, nil, o.sim.guid(), o.sim.nextID()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, check := range o.checkers {
		check(m.event, raw)
	}
	if o.url == "" {
		return
	}
	o.waiting = append(o.waiting, o.sim.faults.deal(m)...)
	o.changed.Broadcast()
}

// again sends a delivery once more under the same GUID.
func (o *outbox) again(d Delivery, id int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = append(o.waiting, outgoing{
		id: id, guid: d.GUID, event: d.Event, action: d.Action, installation: d.installation, repository: d.repository, raw: d.Body, redelivery: true,
	})
	o.changed.Broadcast()
}

// run sends until close.
func (o *outbox) run() {
	defer close(o.done)
	for {
		o.mu.Lock()
		for len(o.waiting) == 0 && !o.closed {
			o.changed.Wait()
		}
		if o.closed {
			o.mu.Unlock()
			return
		}
		m := o.waiting[0]
		o.waiting, o.sending = o.waiting[1:], true
		url := o.url
		o.mu.Unlock()

		d := o.send(url, m)

		o.mu.Lock()
		o.sending = false
		if o.sent = append(o.sent, d); len(o.sent) > keptDeliveries {
			o.sent = o.sent[len(o.sent)-keptDeliveries:]
		}
		o.changed.Broadcast()
		o.mu.Unlock()
	}
}

func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	o.changed.Broadcast()
	o.mu.Unlock()
	<-o.done
}

// send makes one attempt.
func (o *outbox) send(url string, m outgoing) Delivery {
	start := time.Now()
	d := Delivery{
		ID: m.id, GUID: m.guid, Event: m.event, Action: m.action, At: o.sim.now().UTC(), Redelivery: m.redelivery, Body: m.raw,
		installation: m.installation, repository: m.repository,
	}
	d.StatusCode, d.Status = o.post(url, m)
	d.Took = time.Since(start)
	o.sim.log.Debug("delivered", "event", m.event, "action", m.action, "delivery", m.guid, "status", d.StatusCode)
	return d
}

func (o *outbox) post(url string, m outgoing) (int, string) {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(m.raw))
	if err != nil {
		return 0, err.Error()
	}
	mac := hmac.New(sha256.New, o.sim.App.WebhookSecret)
	mac.Write(m.raw)
	h := req.Header
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "*/*")
	h.Set("User-Agent", "GitHub-Hookshot/51c0ffe")
	h.Set("X-GitHub-Event", m.event)
	h.Set("X-GitHub-Delivery", m.guid)
	h.Set("X-GitHub-Hook-ID", strconv.FormatInt(o.sim.App.ID+1, 10))
	h.Set("X-GitHub-Hook-Installation-Target-Type", "integration")
	h.Set("X-GitHub-Hook-Installation-Target-ID", strconv.FormatInt(o.sim.App.ID, 10))
	h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := o.client.Do(req)
	if err != nil {
		return 0, "failed to connect to host"
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // so that the connection can be used again
	return resp.StatusCode, http.StatusText(resp.StatusCode)
}

// Quiesce returns when every delivery sent so far has been answered, or with the
// context's error.
func (s *Sim) Quiesce(ctx context.Context) error {
	o := s.outbox
	stop := context.AfterFunc(ctx, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.changed.Broadcast()
	})
	defer stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	if held := o.sim.faults.release(); len(held) > 0 {
		o.waiting = append(o.waiting, held...)
		o.changed.Broadcast()
	}
	for (len(o.waiting) > 0 || o.sending) && ctx.Err() == nil && !o.closed {
		o.changed.Wait()
	}
	return ctx.Err()
}
