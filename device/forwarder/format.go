package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ringwire/ringwire"
)

// format is how a message is one line of text.
type format struct {
	name  string
	usage string
	parse func(line string) ([][]byte, error)
	show  func(dst []byte, frames [][]byte) []byte // appends, without a line feed
}

var formats = []format{
	{"raw", "frames as they are, tabs between them", parseRaw, showRaw},
	{"quoted", "frames as Go quotes strings, spaces between them", parseQuoted, showQuoted},
	{"hex", "frames in hexadecimal, spaces between them", parseHex, showHex},
	{"json", `an array of frames: text, or {"base64": ...}`, parseJSON, showJSON},
	{"msgpack", `an array of frames: values that are MessagePack in the frame, or {"text": ...} or {"base64": ...} for those that are not`, parseMsgpack, showMsgpack},
}

func formatNames() string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ")
}

func findFormat(name string) (*format, error) {
	for i := range formats {
		if formats[i].name == name {
			return &formats[i], nil
		}
	}
	return nil, usagef("--format is %q, want one of %s", name, formatNames())
}

func framesOf(m *ringwire.Message) [][]byte {
	frames := make([][]byte, m.Len())
	for i := range frames {
		frames[i] = m.Frame(i)
	}
	return frames
}

func parseRaw(line string) (frames [][]byte, _ error) {
	for part := range strings.SplitSeq(line, "\t") {
		frames = append(frames, []byte(part))
	}
	return frames, nil
}

func showRaw(dst []byte, frames [][]byte) []byte {
	return append(dst, bytes.Join(frames, []byte{'\t'})...)
}

func parseQuoted(line string) (frames [][]byte, _ error) {
	for rest := strings.TrimSpace(line); rest != ""; rest = strings.TrimSpace(rest) {
		word, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return nil, fmt.Errorf("%q does not begin with a quoted frame", rest)
		}
		frame, err := strconv.Unquote(word)
		if err != nil {
			return nil, fmt.Errorf("frame %s: %w", word, err)
		}
		frames, rest = append(frames, []byte(frame)), rest[len(word):]
	}
	return frames, nil
}

func showQuoted(dst []byte, frames [][]byte) []byte {
	for i, f := range frames {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = strconv.AppendQuote(dst, string(f))
	}
	return dst
}

func parseHex(line string) (frames [][]byte, _ error) {
	for _, word := range strings.Fields(line) {
		if word == emptyHex {
			word = ""
		}
		frame, err := hex.DecodeString(word)
		if err != nil {
			return nil, fmt.Errorf("frame %q: %w", word, err)
		}
		frames = append(frames, frame)
	}
	return frames, nil
}

// emptyHex stands for a frame without bytes.
const emptyHex = "-"

func showHex(dst []byte, frames [][]byte) []byte {
	for i, f := range frames {
		if i > 0 {
			dst = append(dst, ' ')
		}
		if len(f) == 0 {
			dst = append(dst, emptyHex...)
		}
		dst = hex.AppendEncode(dst, f)
	}
	return dst
}

// blob is a frame that is no text.
type blob struct {
	Base64 *string `json:"base64"`
}

func parseJSON(line string) (frames [][]byte, _ error) {
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(line), &list); err != nil {
		return nil, fmt.Errorf("want an array of frames: %w", err)
	}
	for i, raw := range list {
		var text *string
		if json.Unmarshal(raw, &text) == nil && text != nil {
			frames = append(frames, []byte(*text))
			continue
		}
		frame, err := parseBinary(raw)
		if err != nil {
			return nil, fmt.Errorf(`frame %d: %w, want text or {"base64": ...}`, i, err)
		}
		frames = append(frames, frame)
	}
	return frames, nil
}

func parseBinary(raw json.RawMessage) ([]byte, error) {
	var b blob
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		return nil, err
	}
	if b.Base64 == nil {
		return nil, errors.New("has no base64")
	}
	return base64.StdEncoding.DecodeString(*b.Base64)
}

func showJSON(dst []byte, frames [][]byte) []byte {
	dst = append(dst, '[')
	for i, f := range frames {
		if i > 0 {
			dst = append(dst, ',')
		}
		if utf8.Valid(f) {
			dst = appendJSON(dst, string(f))
		} else {
			dst = appendBinary(dst, f)
		}
	}
	return append(dst, ']')
}

func appendBinary(dst, frame []byte) []byte {
	return appendJSON(dst, map[string]string{"base64": base64.StdEncoding.EncodeToString(frame)})
}

// appendJSON appends what can always be encoded.
func appendJSON(dst []byte, v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("a value that JSON cannot show: " + err.Error())
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte{'\n'})...)
}
