package kinesis

import (
	"context"
	"maps"
	"slices"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// maxTags is how many tags a stream may have.
const maxTags = 50

type tagsInput struct {
	streamRef
	ResourceARN          *string
	Tags                 map[string]string
	TagKeys              []string
	ExclusiveStartTagKey *string
	Limit                *int
}

type tag struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

func (s *Service) tagsOf(r *wire.Request) (*tagsInput, *stream, error) {
	var in tagsInput
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	st, err := s.lookup(tagRef(in.streamRef, in.ResourceARN))
	return &in, st, err
}

func (s *Service) addTags(_ context.Context, r *wire.Request) (any, error) {
	in, st, err := s.tagsOf(r)
	if err != nil {
		return nil, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	all := maps.Clone(st.tags)
	maps.Copy(all, in.Tags)
	if len(all) > maxTags {
		return nil, invalid("Failed to add tags to stream %s under account %s because a given stream cannot have more than %d tags associated with it.", st.name, wire.Account, maxTags)
	}
	st.tags = all
	return nil, nil
}

func (s *Service) removeTags(_ context.Context, r *wire.Request) (any, error) {
	in, st, err := s.tagsOf(r)
	if err != nil {
		return nil, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, key := range in.TagKeys {
		delete(st.tags, key)
	}
	return nil, nil
}

func (s *Service) listTags(_ context.Context, r *wire.Request) (any, error) {
	in, st, err := s.tagsOf(r)
	if err != nil {
		return nil, err
	}
	st.mu.RLock()
	defer st.mu.RUnlock()
	list, more := []tag{}, false
	for _, key := range slices.Sorted(maps.Keys(st.tags)) {
		if in.ExclusiveStartTagKey != nil && key <= *in.ExclusiveStartTagKey {
			continue
		}
		if more = in.Limit != nil && len(list) == *in.Limit; more {
			break
		}
		list = append(list, tag{key, st.tags[key]})
	}
	if in.ResourceARN != nil {
		return map[string]any{"Tags": list}, nil
	}
	return map[string]any{"Tags": list, "HasMoreTags": more}, nil
}
