// A callee in TypeScript, no dependencies: takes what is entrusted to AGENT, one piece after another, beats while it works.
//     node callee.ts AGENT              CONSIGN_URL: the server; BEAT_S: seconds between two heartbeats
import { randomUUID } from "node:crypto";
import { setInterval as every, setTimeout as sleep } from "node:timers/promises";

type Answer = [verb: string, body: object];
const url = (process.env.CONSIGN_URL ?? "http://127.0.0.1:7420") + "/v1";
const beatMs = Number(process.env.BEAT_S ?? 10) * 1000;
const worker = randomUUID(); // The same name again is given the same work again: a claim whose answer was lost costs nothing.
const leaving = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => leaving.abort());

/** The work; put yours here. It says how far it is, and ends when the signal aborts. */
async function work(task: any, say: (progress: unknown) => void, signal: AbortSignal): Promise<unknown> {
  if (typeof task?.count_to !== "number") throw new Error('the task must be {"count_to": NUMBER}');
  for (let counted = 1; counted <= task.count_to; counted++) {
    await sleep(1000, undefined, { signal });
    say(counted);
  }
  return task.count_to;
}

/** Sends a request until it is answered. Each request of a callee may be repeated. */
async function ask(path: string, body: object): Promise<any> {
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  for (;;) {
    try {
      const answer = await fetch(url + path, { ...request, signal: AbortSignal.timeout(75_000) });
      if (![408, 429, 503].includes(answer.status)) return await answer.json();
    } catch (nobodyAnswered) { if (leaving.signal.aborted) throw nobodyAnswered; }
    await sleep(1000);
  }
}

async function serve(it: string, lease: string, task: unknown) {
  const [end, over] = [new AbortController(), new AbortController()];
  leaving.signal.addEventListener("abort", () => end.abort(), { signal: over.signal }); // Until it is over.
  if (leaving.signal.aborted) end.abort();
  let [progress, stop] = [null as unknown, false];
  const beat = async () => {
    for await (const _ of every(beatMs, null, { signal: over.signal }))
      if ((stop ||= (await ask(`${it}/heartbeat`, { lease, progress })).stop === true)) return end.abort();
  };
  beat().catch(() => {}); // It ends by being aborted.
  const failed = (why: unknown): Answer => ["fail", { error_detail: String(why).slice(0, 1000) }];
  const [verb, answer] = await work(task, (said) => (progress = said), end.signal).then(
    (result): Answer => ["complete", { result }],
    (why): Answer => (end.signal.aborted ? ["release", { reason: "the worker is shut down" }] : failed(why)),
  );
  over.abort();
  stop ? console.log("told to stop") : await ask(`${it}/${verb}`, { lease, ...answer });
}

while (!leaving.signal.aborted) {
  const told = await ask(`/agents/${encodeURIComponent(process.argv[2])}/claim`, { claim_id: worker, wait_s: 10 });
  if (!told.claims) throw new Error(told.detail);
  for (const { delegation: { delegation_id, task }, lease } of told.claims)
    await serve(`/delegations/${encodeURIComponent(delegation_id)}`, lease, task);
}
