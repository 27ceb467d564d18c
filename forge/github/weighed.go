package github

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// weighed keeps answers that never change, such as what the object with an id holds,
// and drops those that were used least lately once all of them weigh too much. It is
// safe for concurrent use.
type weighed[K comparable, V any] struct {
	most int

	mu     sync.Mutex
	weight int
	kept   *simplelru.LRU[K, load[V]]
}

type load[V any] struct {
	value  V
	weight int
}

// newWeighed returns one that holds at most so many answers, and at most so much in all.
func newWeighed[K comparable, V any](count, most int) (*weighed[K, V], error) {
	w := &weighed[K, V]{most: most}
	kept, err := simplelru.NewLRU(count, func(_ K, l load[V]) { w.weight -= l.weight })
	w.kept = kept
	return w, err
}

func (w *weighed[K, V]) get(key K) (V, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l, ok := w.kept.Get(key)
	return l.value, ok
}

// add keeps an answer. One that alone weighs too much is not kept.
func (w *weighed[K, V]) add(key K, value V, weight int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept.Remove(key)
	if weight > w.most {
		return
	}
	w.weight += weight
	w.kept.Add(key, load[V]{value, weight})
	for w.weight > w.most {
		w.kept.RemoveOldest()
	}
}
