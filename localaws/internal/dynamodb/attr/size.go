package attr

// Overheads from "DynamoDB item sizes and formats" in the developer guide.
const (
	containerOverhead = 3
	elementOverhead   = 1
)

// Size is the number of bytes an item counts: names and values.
func (i Item) Size() int {
	size := 0
	for name, v := range i {
		size += len(name) + v.Size()
	}
	return size
}

// Size is the number of bytes a value counts, without its name.
func (v Value) Size() int {
	switch v.Kind {
	case S, B:
		return len(v.Text)
	case N:
		return numberSize(v.Text)
	case SS, BS:
		size := 0
		for _, m := range v.Set() {
			size += len(m)
		}
		return size
	case NS:
		size := 0
		for _, m := range v.Set() {
			size += numberSize(m)
		}
		return size
	case L:
		size := containerOverhead
		for _, e := range v.List() {
			size += elementOverhead + e.Size()
		}
		return size
	case M:
		return containerOverhead + len(v.Map())*elementOverhead + v.Map().Size()
	default:
		return 1
	}
}
