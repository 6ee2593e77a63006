package main

import (
	"fmt"

	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
)

// The keys of encrypted rows: those that RFC 26's implementations publish for
// tests. Nothing that is measured is a secret.
const (
	curveServerPublic = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
	curveServerSecret = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"
	curveClientPublic = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
	curveClientSecret = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
)

// encrypted is the variant that uses CURVE; the side that binds is its server.
const encrypted = "curve"

// encrypt has a socket use CURVE.
func encrypt(opts *socket.Options, asServer bool) error {
	secret := curveClientSecret
	if asServer {
		secret = curveServerSecret
	}
	key, err := curve.ParseSecretKey(secret)
	if err != nil {
		return fmt.Errorf("read the test key: %w", err)
	}
	if asServer {
		opts.Authenticator = curve.AllowAny
		opts.Mechanism, err = curve.Server(key)
		return err
	}
	server, err := curve.ParsePublicKey(curveServerPublic)
	if err != nil {
		return fmt.Errorf("read the server's test key: %w", err)
	}
	opts.Mechanism, err = curve.Client(key, server)
	return err
}
