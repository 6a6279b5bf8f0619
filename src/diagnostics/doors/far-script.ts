/**
 * What runs on another machine over ssh: Python 3 where it is there, else the shell with getent and bash or nc. It writes nothing, resolves one
 * name, connects once to each address, and prints one line of JSON (Python) or lines of words (shell). `$1` host, `$2` port, `$3` seconds.
 */
const PYTHON = String.raw`
import errno, json, socket, sys, threading, time
host, port, limit = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])

def look(family, flags):
    began = time.monotonic()
    try:
        found, code = [one[4] for one in socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, flags)], None
    except socket.gaierror as error:
        names = [name for name in dir(socket) if name.startswith("EAI_") and getattr(socket, name) == error.errno]
        found, code = [], ("ENOTFOUND" if names and names[0] in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY") else (names or ["EAI_FAIL"])[0])
    except (OSError, UnicodeError) as error:
        found, code = [], errno.errorcode.get(getattr(error, "errno", None), "EAI_FAIL")
    ms = round((time.monotonic() - began) * 1000)
    return {"addresses": list(dict.fromkeys(one[0] for one in found))[:16], "errno": code, "ms": ms}

def source(address, family):
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(socket.getaddrinfo(address, port, family, socket.SOCK_DGRAM)[0][4])
            return probe.getsockname()[0], None
    except OSError as error:
        return None, errno.errorcode.get(error.errno, "EFAIL")

def attempt(address, results):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    result = {"address": address, "outcome": "connected", "errno": None}
    result["source"], result["noWay"] = source(address, family)
    began = time.monotonic()
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.settimeout(limit)
            probe.connect(socket.getaddrinfo(address, port, family, socket.SOCK_STREAM)[0][4])
    except (socket.timeout, TimeoutError) as error:
        if getattr(error, "errno", None):
            result["outcome"], result["errno"] = "failed", errno.errorcode.get(error.errno, "EFAIL")
        else:
            result["outcome"] = "silent"
    except OSError as error:
        result["outcome"], result["errno"] = "failed", errno.errorcode.get(error.errno, "EFAIL")
    result["ms"] = round((time.monotonic() - began) * 1000)
    results.append(result)

lookup = look(socket.AF_UNSPEC, getattr(socket, "AI_ADDRCONFIG", 0))
every = look(socket.AF_UNSPEC, 0)
addresses = list(dict.fromkeys(lookup["addresses"] + every["addresses"]))[:16]
results = []
threads = [threading.Thread(target=attempt, args=(one, results), daemon=True) for one in addresses]
for one in threads: one.start()
for one in threads: one.join(limit + 2)
print("bbx-far " + json.dumps({"hostname": socket.gethostname(), "lookup": lookup, "attempts": results}), flush=True)
`;

const SHELL = String.raw`
addresses=$(getent ahosts "$host" 2>/dev/null | cut -d' ' -f1 | sort -u | head -n 16)
[ -n "$addresses" ] || case "$host" in *:*|[0-9]*.[0-9]*.[0-9]*.[0-9]*) addresses=$host ;; esac
echo "bbx-far-shell $(uname -n)"
for address in $addresses; do (
  began=$(date +%s%N); words=; status=0
  if command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
    words=$(LC_ALL=C timeout "$limit" bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$address" "$port" 2>&1) || status=$?
  elif command -v nc >/dev/null 2>&1; then
    words=$(LC_ALL=C nc -n -v -z -w "$limit" "$address" "$port" 2>&1) || status=$?
  else status=127; fi
  ended=$(date +%s%N)
  echo "bbx-far-try $address $status $(( (ended - began) / 1000000 )) $(printf %s "$words" | tr '\n' ' ' | cut -c1-200)"
) & done
wait
`;

/** The whole program for `sh -s` of the other machine. */
export function farScript(host: string, port: number, limitSeconds: number): string {
  const quoted = `'${host.replaceAll("'", String.raw`'\''`)}'`;
  return [
    `host=${quoted} port=${port} limit=${limitSeconds}`,
    'if command -v python3 >/dev/null 2>&1; then',
    `exec python3 - "$host" "$port" "$limit" <<'BBX_FAR_END'`,
    PYTHON.trim(),
    'BBX_FAR_END',
    'fi',
    SHELL.trim(),
    '',
  ].join('\n');
}
