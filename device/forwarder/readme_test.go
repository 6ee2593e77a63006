//go:build unix

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringwire/ringwire/internal/peertest"
)

// quickStart is what a README tells to do: a command, what it says, two programs,
// and the commands that run them.
type quickStart struct {
	command  string
	greeting string
	programs map[string]string // by the name of the file
	commands []string
}

// readQuickStart finds it in the section of a README.
func readQuickStart(t *testing.T, path, title string) (q quickStart) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## "+title+"\n")
	if !ok {
		t.Fatalf("%s has no section %q", path, title)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	q.programs = make(map[string]string)
	fence := regexp.MustCompile("(?ms)(?:`([a-z]+\\.py)`:\n\n)?^```([a-z]*)\n(.*?)^```$")
	for _, block := range fence.FindAllStringSubmatch(section, -1) {
		name, language, body := block[1], block[2], block[3]
		switch {
		case language == "python":
			q.programs[name] = body
		case language == "" && strings.HasPrefix(body, "forwarder: "):
			q.greeting = body
		case language == "sh" && strings.HasPrefix(body, "python3 "):
			q.commands = strings.Split(strings.TrimSpace(body), "\n")
		case language == "sh" && q.command == "":
			q.command = strings.TrimSpace(body)
		}
	}
	if q.command == "" || q.greeting == "" || len(q.programs) != 2 || len(q.commands) != 3 {
		t.Fatalf("section %q of %s has %+v, want a command, what it says, two programs and three commands", title, path, q)
	}
	return q
}

// TestReadmeQuickStart does what the READMEs tell to do: the same command in a
// clone, the same programs, run by the same commands. The environment has the
// forwarder take free ports, and the programs are told of those.
func TestReadmeQuickStart(t *testing.T) {
	for _, where := range []struct{ path, title string }{{"../../README.md", "A forwarder in between"}, {"README.md", "Quick start"}} {
		t.Run(where.title, func(t *testing.T) {
			path := peertest.Python(t, "zmq")
			q := readQuickStart(t, where.path, where.title)
			if want := "go run ./device/forwarder"; q.command != want {
				t.Errorf("the command is %q, want %q", q.command, want)
			}
			greeting := runQuickStart(t, q.command)
			given := append(endpointWord.FindAllString(greeting, -1), adminWord.FindString(greeting))
			ports := strings.NewReplacer(defaultFrontend, given[0], defaultBackend, given[1], "http://"+defaultAdmin, given[2])
			if want := ports.Replace(q.greeting); greeting != want {
				t.Errorf("it says %q, want %q", greeting, want)
			}

			dir := t.TempDir()
			for name, program := range q.programs {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(ports.Replace(program)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			// The python3 of the commands is the one that has pyzmq.
			if err := os.Symlink(path, filepath.Join(dir, "python3")); err != nil {
				t.Fatal(err)
			}
			programs := make(map[string]*python)
			for _, command := range q.commands {
				cmd := exec.Command("sh", "-c", "exec "+command)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
				programs[command] = runPython(t, cmd)
			}
			for topic, format := range map[string]string{"news": "news message %d", "weather": "weather sunny, %d degrees"} {
				var before int
				for i := range 5 {
					var n int
					line := programs["python3 subscriber.py "+topic].line()
					if _, err := fmt.Sscanf(line, format, &n); err != nil || fmt.Sprintf(format, n) != line {
						t.Fatalf("the subscriber of %s prints %q, want %q", topic, line, format)
					}
					if i > 0 && n != before+1 && n != (before+1)%30 {
						t.Errorf("the subscriber of %s prints %q after %d", topic, line, before)
					}
					before = n
				}
			}
		})
	}
}

// runQuickStart runs the command in the clone, as a shell would, until the test
// ends, and returns the first line that it says.
func runQuickStart(t *testing.T, command string) string {
	t.Helper()
	stderr := new(buffer)
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "RINGWIRE_FRONTEND=tcp://127.0.0.1:0", "RINGWIRE_BACKEND=tcp://127.0.0.1:0", "RINGWIRE_ADMIN=127.0.0.1:0")
	cmd.Stderr = stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the command and what it runs end together
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout = w
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		cmd.Wait()
	})
	r.SetReadDeadline(time.Now().Add(buildTime))
	greeting, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("%s says nothing: %v\n%s", command, err, stderr)
	}
	return greeting
}

// buildTime is how long go run may take before it counts as hanging: it may have to
// compile everything.
const buildTime = 5 * time.Minute
