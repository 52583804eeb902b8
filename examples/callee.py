"""A callee in Python, standard library only: takes what is entrusted to AGENT, one piece after another, and beats while it works.

    python3 callee.py AGENT              CONSIGN_URL: the server; BEAT_S: seconds between two heartbeats
"""
import http.client, json, os, signal, sys, threading, time, urllib.error, urllib.parse, urllib.request, uuid

URL, BEAT_S = os.environ.get("CONSIGN_URL", "http://127.0.0.1:7420") + "/v1", float(os.environ.get("BEAT_S", "10"))
WORKER = str(uuid.uuid4())  # The same name again is given the same work again: a claim whose answer was lost costs nothing.
leaving = threading.Event()
for number in signal.SIGTERM, signal.SIGINT:
    signal.signal(number, lambda *_: leaving.set())

def work(task, say):
    """The work; put yours here. It says often how far it is, and is ended there when it must stop."""
    if not isinstance(task, dict) or "count_to" not in task:
        raise ValueError('the task must be {"count_to": NUMBER}')
    for counted in range(1, task["count_to"] + 1):
        time.sleep(1)
        say(counted)
    return task["count_to"]

def ask(path, **body):
    """Sends a request until it is answered. Each request of a callee may be repeated."""
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    while True:
        try:
            return json.load(urllib.request.urlopen(request, timeout=75))
        except urllib.error.HTTPError as refused:
            if refused.code not in (408, 429, 503):
                return json.load(refused)
        except (OSError, http.client.HTTPException):
            leaving.is_set() and sys.exit("nobody answers; what is held is found by its silence")
        time.sleep(1)

def serve(it, lease, task):
    said, stop, over = [None], threading.Event(), threading.Event()
    def beat():
        while not over.wait(BEAT_S) and not stop.is_set():
            if ask(it + "/heartbeat", lease=lease, progress=said[0]).get("stop"):
                stop.set()
    def say(progress):
        said[0] = progress
        if stop.is_set() or leaving.is_set():
            raise InterruptedError
    threading.Thread(target=beat, daemon=True).start()
    try:
        verb, answer = "/complete", {"result": work(task, say)}
    except InterruptedError:
        verb, answer = "/release", {"reason": "the worker is shut down"}
    except Exception as error:
        verb, answer = "/fail", {"error_detail": str(error)[:1000]}
    over.set()
    print("told to stop") if stop.is_set() else ask(it + verb, lease=lease, **answer)

while not leaving.is_set():
    told = ask(f"/agents/{urllib.parse.quote(sys.argv[1], safe='')}/claim", claim_id=WORKER, wait_s=10)
    for claim in told["claims"] if "claims" in told else sys.exit(told["detail"]):
        given = claim["delegation"]
        serve("/delegations/" + urllib.parse.quote(given["delegation_id"], safe=""), claim["lease"], given["task"])
