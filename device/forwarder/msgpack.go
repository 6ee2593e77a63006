package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"
)

// maxDepth is how deep values may be nested: the decoder recurses.
const maxDepth = 100

var (
	errShort = errors.New("ends too soon, or claims more elements than it has bytes")
	errDeep  = errors.New("is nested too deep")
)

// checkMsgpack looks at the structure of one value before it is decoded, and
// returns the length of it: the decoder allocates what a value claims to have.
func checkMsgpack(b []byte, depth int) (n int, err error) {
	if depth > maxDepth {
		return 0, errDeep
	}
	if len(b) == 0 {
		return 0, errShort
	}
	fixed := func(size int) (int, error) {
		if len(b) < 1+size {
			return 0, errShort
		}
		return 1 + size, nil
	}
	// counted reads a length of some bytes.
	counted := func(bytes int) (uint64, error) {
		if len(b) < 1+bytes {
			return 0, errShort
		}
		var wide [8]byte
		copy(wide[8-bytes:], b[1:1+bytes])
		return binary.BigEndian.Uint64(wide[:]), nil
	}
	body := func(bytes int, extra uint64) (int, error) {
		size, err := counted(bytes)
		if err != nil || size+extra > uint64(len(b)-1-bytes) {
			return 0, errShort
		}
		return 1 + bytes + int(size+extra), nil
	}
	elements := func(at int, count uint64) (int, error) {
		if count > uint64(len(b)-at) {
			return 0, errShort
		}
		for range count {
			size, err := checkMsgpack(b[at:], depth+1)
			if err != nil {
				return 0, err
			}
			at += size
		}
		return at, nil
	}
	many := func(bytes int, each uint64) (int, error) {
		count, err := counted(bytes)
		if err != nil {
			return 0, err
		}
		return elements(1+bytes, count*each)
	}
	switch c := b[0]; {
	case c <= 0x7f, c >= 0xe0, c == 0xc0, c == 0xc2, c == 0xc3:
		return 1, nil
	case c <= 0x8f:
		return elements(1, 2*uint64(c&0x0f))
	case c <= 0x9f:
		return elements(1, uint64(c&0x0f))
	case c <= 0xbf:
		return fixed(int(c & 0x1f))
	case c >= 0xc4 && c <= 0xc6: // bin
		return body(1<<(c-0xc4), 0)
	case c >= 0xc7 && c <= 0xc9: // ext, with a byte for its type
		return body(1<<(c-0xc7), 1)
	case c == 0xca, c == 0xce, c == 0xd2:
		return fixed(4)
	case c == 0xcb, c == 0xcf, c == 0xd3:
		return fixed(8)
	case c == 0xcc, c == 0xd0:
		return fixed(1)
	case c == 0xcd, c == 0xd1:
		return fixed(2)
	case c >= 0xd4 && c <= 0xd8: // fixext
		return fixed(1 + 1<<(c-0xd4))
	case c >= 0xd9 && c <= 0xdb: // str
		return body(1<<(c-0xd9), 0)
	case c == 0xdc, c == 0xdd:
		return many(2<<(c-0xdc), 1)
	case c == 0xde, c == 0xdf:
		return many(2<<(c-0xde), 2)
	}
	return 0, fmt.Errorf("has the unused byte %#x", b[0])
}

// decodeMsgpack decodes a frame that is exactly one value.
func decodeMsgpack(frame []byte) (any, error) {
	n, err := checkMsgpack(frame, 0)
	if err != nil {
		return nil, err
	}
	if n != len(frame) {
		return nil, fmt.Errorf("has %d bytes behind the value", len(frame)-n)
	}
	d := msgpack.NewDecoder(bytes.NewReader(frame))
	d.SetMapDecoder(decodeMap)
	return d.DecodeInterface()
}

// decodeMap decodes a map whose keys Go can have: an array or a map is none.
func decodeMap(d *msgpack.Decoder) (any, error) {
	n, err := d.DecodeMapLen()
	if err != nil {
		return nil, err
	}
	m := make(map[any]any)
	for range n {
		k, err := d.DecodeInterface()
		if err != nil {
			return nil, err
		}
		if k != nil && !reflect.ValueOf(k).Comparable() {
			return nil, fmt.Errorf("has a map with a key of type %T", k)
		}
		if m[k], err = d.DecodeInterface(); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func showMsgpack(dst []byte, frames [][]byte) []byte {
	dst = append(dst, '[')
	for i, f := range frames {
		if i > 0 {
			dst = append(dst, ',')
		}
		v, err := decodeMsgpack(f)
		switch {
		case err == nil:
			dst = appendJSON(dst, plain(v))
		case utf8.Valid(f):
			dst = appendJSON(dst, map[string]string{"text": string(f)})
		default:
			dst = appendBinary(dst, f)
		}
	}
	return append(dst, ']')
}

// plain turns a decoded value into one that JSON can show.
func plain(v any) any {
	switch v := v.(type) {
	case map[any]any:
		m := make(map[string]any, len(v))
		for key, value := range v {
			m[fmt.Sprint(plain(key))] = plain(value)
		}
		return m
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
		return v
	case []byte:
		return map[string]string{"base64": base64.StdEncoding.EncodeToString(v)}
	case float32:
		return plain(float64(v))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return strconv.FormatFloat(v, 'g', -1, 64)
		}
		return v
	case nil, bool, string, int8, int16, int32, int64, int, uint8, uint16, uint32, uint64, uint:
		return v
	}
	return fmt.Sprint(v) // times and other extensions
}

// parseMsgpack encodes each element of an array as a frame. {"text": ...} and
// {"base64": ...} are frames as they are.
func parseMsgpack(line string) (frames [][]byte, _ error) {
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(line), &list); err != nil {
		return nil, fmt.Errorf("want an array of values: %w", err)
	}
	for i, raw := range list {
		var bare map[string]string
		if json.Unmarshal(raw, &bare) == nil && len(bare) == 1 {
			if text, ok := bare["text"]; ok {
				frames = append(frames, []byte(text))
				continue
			}
			if frame, err := parseBinary(raw); err == nil {
				frames = append(frames, frame)
				continue
			}
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, fmt.Errorf("frame %d: %w", i, err)
		}
		var b bytes.Buffer
		e := msgpack.NewEncoder(&b)
		e.UseCompactInts(true)
		e.SetSortMapKeys(true)
		if err := e.Encode(whole(v)); err != nil {
			return nil, fmt.Errorf("frame %d: %w", i, err)
		}
		frames = append(frames, b.Bytes())
	}
	return frames, nil
}

// whole turns the numbers of JSON into integers where they are.
func whole(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if n, err := strconv.ParseUint(v.String(), 10, 64); err == nil {
			return n
		}
		f, _ := v.Float64() // the largest, if it is too large
		return f
	case map[string]any:
		for key := range v {
			v[key] = whole(v[key])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	}
	return v
}
