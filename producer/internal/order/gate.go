// Package order keeps messages of one partition key in order.
//
// A PutRecords request stores its entries in no promised order, and any of them
// may fail while a later one is stored. So a key has at most one record on its
// way at a time; messages that come meanwhile wait here, in order, and other
// keys pass them by.
package order

import (
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
)

// Gate holds back messages whose key is busy. The zero value is ready. Not safe
// for concurrent use.
type Gate struct {
	keys    map[string]*queue // nil: busy, and nothing waits
	waiting int
}

// queue holds the messages of one key; closed while a record is on its way.
type queue struct {
	closed bool
	list   []message.Message
	head   int
}

// Pass tells whether m may go on now; else the gate keeps it.
func (g *Gate) Pass(m message.Message) bool {
	q, known := g.keys[m.Key]
	if !known {
		return true
	}
	if q == nil {
		q = &queue{closed: true}
		g.keys[m.Key] = q
	}
	q.list = append(q.list, m)
	g.waiting++
	return false
}

// Close makes the key busy: a record with it is on its way.
func (g *Gate) Close(key string) {
	if g.keys == nil {
		g.keys = map[string]*queue{}
	}
	if q := g.keys[key]; q != nil {
		q.closed = true
		return
	}
	g.keys[key] = nil
}

// Open makes the key free. The caller then takes what waits from Next, until
// Next has no more or the key was closed again.
func (g *Gate) Open(key string) {
	if q := g.keys[key]; q != nil {
		q.closed = false
		return
	}
	delete(g.keys, key)
}

// Next takes the oldest message that waits for the key, unless the key is
// busy. Once none waits, the key's messages pass again.
func (g *Gate) Next(key string) (message.Message, bool) {
	q := g.keys[key]
	if q == nil || q.closed {
		return message.Message{}, false
	}
	if q.head == len(q.list) {
		delete(g.keys, key)
		return message.Message{}, false
	}
	m := q.list[q.head]
	q.list[q.head] = message.Message{}
	q.head++
	if q.head > 64 && q.head*2 > len(q.list) {
		q.list, q.head = append([]message.Message(nil), q.list[q.head:]...), 0
	}
	g.waiting--
	return m, true
}

// Hold takes m back in front of all others when its key is busy, and tells
// whether it did. It is for a message that Pass or Next let go last of its key.
func (g *Gate) Hold(m message.Message) bool {
	q, known := g.keys[m.Key]
	if !known || q != nil && !q.closed {
		return false
	}
	if q == nil {
		q = &queue{closed: true}
		g.keys[m.Key] = q
	}
	if q.head > 0 {
		q.head--
		q.list[q.head] = m
	} else {
		q.list = append([]message.Message{m}, q.list...)
	}
	g.waiting++
	return true
}

// Waiting is the number of messages held back.
func (g *Gate) Waiting() int { return g.waiting }

// Abandon takes out everything that waits, in no order, and frees every key.
func (g *Gate) Abandon() []message.Message {
	var all []message.Message
	for _, q := range g.keys {
		if q != nil {
			all = append(all, q.list[q.head:]...)
		}
	}
	g.keys, g.waiting = nil, 0
	return all
}
