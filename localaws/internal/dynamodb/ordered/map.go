// Package ordered is a map from byte strings to values that is walked in the
// order of its keys, forwards and backwards: the index under every table.
package ordered

import "math/rand/v2"

// maxLevel suffices for some 4^16 entries, since one node in four rises a level.
const maxLevel = 16

// Map is a skip list. Its zero value is not usable; call New. Reads may run
// side by side, a write must be alone.
type Map[V any] struct {
	head  *Entry[V] // above every level; its key is not looked at
	tail  *Entry[V]
	level int
	len   int
}

// Entry is one key and its value.
type Entry[V any] struct {
	Key   string
	Value V
	next  []*Entry[V]
	prev  *Entry[V]
}

// New returns an empty map.
func New[V any]() *Map[V] {
	return &Map[V]{head: &Entry[V]{next: make([]*Entry[V], maxLevel)}, level: 1}
}

// Len is the number of entries.
func (m *Map[V]) Len() int { return m.len }

// seek fills before with the last entry below key on every level in use, and
// returns the first entry at or above key.
func (m *Map[V]) seek(key string, before *[maxLevel]*Entry[V]) *Entry[V] {
	at := m.head
	for l := m.level - 1; l >= 0; l-- {
		for n := at.next[l]; n != nil && n.Key < key; n = at.next[l] {
			at = n
		}
		if before != nil {
			before[l] = at
		}
	}
	return at.next[0]
}

// Get returns the value under key.
func (m *Map[V]) Get(key string) (V, bool) {
	if e := m.seek(key, nil); e != nil && e.Key == key {
		return e.Value, true
	}
	var zero V
	return zero, false
}

// Set puts a value under key and returns the one that was there.
func (m *Map[V]) Set(key string, value V) (old V, replaced bool) {
	var before [maxLevel]*Entry[V]
	next := m.seek(key, &before)
	if next != nil && next.Key == key {
		old, next.Value = next.Value, value
		return old, true
	}
	levels := 1
	for levels < maxLevel && rand.Uint32()&3 == 0 {
		levels++
	}
	for ; m.level < levels; m.level++ {
		before[m.level] = m.head
	}
	e := &Entry[V]{Key: key, Value: value, next: make([]*Entry[V], levels)}
	for l := range levels {
		e.next[l], before[l].next[l] = before[l].next[l], e
	}
	if before[0] != m.head {
		e.prev = before[0]
	}
	if next != nil {
		next.prev = e
	} else {
		m.tail = e
	}
	m.len++
	return old, false
}

// Delete removes key and returns the value that was there.
func (m *Map[V]) Delete(key string) (old V, deleted bool) {
	var before [maxLevel]*Entry[V]
	e := m.seek(key, &before)
	if e == nil || e.Key != key {
		return old, false
	}
	for l := range e.next {
		before[l].next[l] = e.next[l]
	}
	if after := e.next[0]; after != nil {
		after.prev = e.prev
	} else {
		m.tail = e.prev
	}
	for m.level > 1 && m.head.next[m.level-1] == nil {
		m.level--
	}
	m.len--
	return e.Value, true
}

// First returns the first entry at or above key, nil if there is none.
func (m *Map[V]) First(key string) *Entry[V] { return m.seek(key, nil) }

// Last returns the last entry below key, nil if there is none.
func (m *Map[V]) Last(key string) *Entry[V] {
	e := m.seek(key, nil)
	if e == nil {
		return m.tail
	}
	return e.prev
}

// Next returns the entry after e, nil at the end.
func (e *Entry[V]) Next() *Entry[V] { return e.next[0] }

// Prev returns the entry before e, nil at the beginning.
func (e *Entry[V]) Prev() *Entry[V] { return e.prev }
