package typed

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// Codec turns values into bytes and back. It must be safe for concurrent use.
//
// v points to the value in both directions: for a Push[Job] it is a *Job, and for a
// Push[*Job] a **Job.
type Codec interface {
	// Name is told to peers, for error messages: "msgpack".
	Name() string
	// Append appends the encoding of what v points to. It must not keep v.
	Append(dst []byte, v any) ([]byte, error)
	// Decode fills what v points to, which is zero, and must not keep data or v. The
	// data come from a peer: it must cope with anything, in memory bounded by
	// their size. A panic becomes an error of Recv.
	Decode(data []byte, v any) error
}

// maxDepth is how deep values may be nested: decoders recurse.
const maxDepth = 100

// maxShown is how many unknown names an error shows.
const maxShown = 5

var (
	errShort = errors.New("it ends too soon, or claims more elements than it has bytes")
	errDeep  = fmt.Errorf("it is nested deeper than %d levels", maxDepth)
)

// JSON is the codec of package encoding/json. Values nested deeper than 100 levels
// are refused; a payload of n bytes costs a receiver at most n*(128 + 4*s) bytes and
// 4 KiB, where s is the size of the largest Go type in a slice, map or pointer of T.
type JSON struct {
	// Strict refuses objects with names that T has no field for.
	Strict bool
}

// Name implements Codec.
func (JSON) Name() string { return "json" }

// Append implements Codec.
func (JSON) Append(dst []byte, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	return append(dst, b...), err
}

// Decode implements Codec.
func (c JSON) Decode(data []byte, v any) error {
	if err := checkJSON(data); err != nil {
		return err
	}
	if c.Strict {
		// Without this, a Decoder would not see what follows the value.
		if !json.Valid(data) {
			return json.Unmarshal(data, v)
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		return d.Decode(v)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return err
	}
	if !emptyStruct(v, "json") {
		return nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) != nil {
		return nil
	}
	known := fields(v, "json")
	var names []string
	for name := range object {
		if known[strings.ToLower(name)] {
			return nil
		}
		if len(names) < maxShown {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return strangers(names, v)
}

// checkJSON bounds the depth of a text, whose syntax the decoder checks.
func checkJSON(data []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[', c == '{':
			if depth++; depth > maxDepth {
				return errDeep
			}
		case c == ']', c == '}':
			depth--
		}
	}
	return nil
}

// Raw is the codec of bytes as they are: T is []byte or string.
type Raw struct{}

// Name implements Codec.
func (Raw) Name() string { return "raw" }

// Append implements Codec.
func (Raw) Append(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case *[]byte:
		return append(dst, *v...), nil
	case *string:
		return append(dst, *v...), nil
	}
	return dst, notRaw(v)
}

// Decode implements Codec.
func (Raw) Decode(data []byte, v any) error {
	switch v := v.(type) {
	case *[]byte:
		*v = append(make([]byte, 0, len(data)), data...)
		return nil
	case *string:
		*v = string(data)
		return nil
	}
	return notRaw(v)
}

func notRaw(v any) error {
	return fmt.Errorf("the codec Raw is for []byte and string, not for %s", reflect.TypeOf(v).Elem())
}

// emptyStruct reports whether nothing was decoded into a struct that has fields: then
// it may have met another type's names, which codecs pass over without an error.
func emptyStruct(v any, tag string) bool {
	t := reflect.TypeOf(v).Elem()
	if t.Kind() != reflect.Struct || t.NumField() == 0 || !reflect.ValueOf(v).Elem().IsZero() {
		return false
	}
	if _, custom := v.(encoding.TextUnmarshaler); custom {
		return false
	}
	if tag == "json" {
		_, custom := v.(json.Unmarshaler)
		return !custom
	}
	return !customMsgpack(v)
}

// fieldNames has the names that a struct's fields have in an encoding, by struct and tag,
// once for each: a struct of zeros is looked at whenever it comes.
var fieldNames sync.Map

type fieldsKey struct {
	of  reflect.Type
	tag string
}

// fields is the names of the struct that v points to, for JSON in lower case. It may have
// some too many, such as those of embedded structs, but none too few.
func fields(v any, tag string) map[string]bool {
	key := fieldsKey{reflect.TypeOf(v).Elem(), tag}
	if names, ok := fieldNames.Load(key); ok {
		return names.(map[string]bool)
	}
	names := make(map[string]bool)
	for _, f := range reflect.VisibleFields(key.of) {
		name, options, _ := strings.Cut(f.Tag.Get(tag), ",")
		if name == "" {
			name = f.Name
		}
		if tag == "json" {
			name = strings.ToLower(name)
		}
		names[name] = true
		for option := range strings.SplitSeq(options, ",") {
			if alias, ok := strings.CutPrefix(option, "alias:"); ok {
				names[alias] = true
			}
		}
	}
	fieldNames.Store(key, names)
	return names
}

// strangers is the error for names none of which is a field of what v points to.
func strangers(names []string, v any) error {
	for i := range names {
		names[i] = names[i][:min(len(names[i]), 40)]
	}
	return fmt.Errorf("it has the names %q, none of which is a field of %s", names, reflect.TypeOf(v).Elem())
}
