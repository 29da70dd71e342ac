/** A person at a terminal, who answers the program's questions. */

const script = `
import json, os, pty, select, sys
answers, command = json.loads(sys.argv[1]), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
text, seen = b"", 0
while True:
    ready, _, _ = select.select([terminal], [], [], 60)
    if not ready:
        os.kill(pid, 9)
        sys.exit("no output for a minute: " + repr(text))
    try:
        part = os.read(terminal, 4096)
    except OSError:
        break
    if not part:
        break
    text += part
    while answers and answers[0][0].encode() in text[seen:]:
        question, keys = answers.pop(0)
        seen += text[seen:].index(question.encode()) + len(question.encode())
        os.write(terminal, keys.encode())
sys.stdout.buffer.write(text)
if answers:
    sys.exit("never shown: " + answers[0][0])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

/**
 * Returns the command that runs the one behind it in a pseudo-terminal, and prints what the terminal shows. It needs
 * python3.
 *
 * @param answers texts that the terminal shows, in their order, each with the keys that are typed then
 */
export function answering(...answers: readonly (readonly [string, string])[]): string[] {
  return ["python3", "-c", script, JSON.stringify(answers)];
}
