package zmtp

// The first byte of a subscription in message form.
const (
	cancelByte    = 0
	subscribeByte = 1
)

// AppendSubscription appends one frame that subscribes to topic or cancels
// it. The form follows the version that the peer announced: a SUBSCRIBE or
// CANCEL command for 3.1 and later (minor31), a message whose first byte is 1
// or 0 for 3.0.
func AppendSubscription[T string | []byte](dst []byte, topic T, subscribe, minor31 bool) []byte {
	switch {
	case minor31 && subscribe:
		dst = appendCommandName(dst, CommandSubscribe, len(topic))
	case minor31:
		dst = appendCommandName(dst, CommandCancel, len(topic))
	case subscribe:
		dst = append(AppendHeader(dst, 0, 1+len(topic)), subscribeByte)
	default:
		dst = append(AppendHeader(dst, 0, 1+len(topic)), cancelByte)
	}
	return append(dst, topic...)
}

// ParseSubscriptionMessage reads a subscription in message form, which any
// peer may send: libzmq's XSUB does so on 3.1 too, for what the application
// sent. ok is false if body is not one but a user's message. topic is a
// clipped slice of body. (In command form, the data of SUBSCRIBE or CANCEL is
// the topic.)
func ParseSubscriptionMessage(body []byte) (topic []byte, subscribe, ok bool) {
	if len(body) == 0 || body[0] > subscribeByte {
		return nil, false, false
	}
	return body[1:len(body):len(body)], body[0] == subscribeByte, true
}
