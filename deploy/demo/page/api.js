// Asking Directus and the sidecar, which are this page's own origin: the browser adds the session cookie by itself.
// Whatever goes wrong becomes a Problem of one of four kinds, so that the rest of the page decides by kind alone.

const PATIENCE = 40_000; // milliseconds for an answer to begin; the sidecar's own budgets are shorter

// Directus's and the sidecar's codes for "who are you?". FORBIDDEN is not among them: that caller is known.
const UNKNOWN_CALLER = new Set(["INVALID_CREDENTIALS", "TOKEN_EXPIRED", "INVALID_TOKEN", "NO_CREDENTIALS"]);

export class Problem extends Error {
  /** `kind`: "signed-out", "refused", "invalid" or "unavailable"; `retryAfter` is in seconds. */
  constructor(kind, message, { code = "", extensions = {}, retryAfter = null } = {}) {
    super(message);
    Object.assign(this, { kind, code, extensions, retryAfter });
  }
}

/** Gives the answer's JSON, null without one. Throws Problem, and AbortError once `signal` says so. */
export async function ask(method, path, { body, signal } = {}) {
  const answer = await open(method, path, { body, signal });
  if (answer.status === 204) return null;
  try {
    return await answer.json();
  } catch (error) {
    throw broken(error);
  }
}

/** Gives the lines of a whole list as objects, as many at a time as have arrived. Throws as `ask` does. */
export async function* lines(path, signal) {
  const answer = await open("GET", path, { signal, accept: "application/x-ndjson" });
  let rest = "";
  try {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const whole = (rest + read.value).split("\n");
      rest = whole.pop();
      if (whole.length) yield whole.map((line) => JSON.parse(line));
    }
  } catch (error) {
    throw broken(error);
  }
}

/** Reads errors as Directus writes them; the sidecar does it likewise. */
export function problemOf(errors, { status = 503, retryAfter = null } = {}) {
  const { message = "", extensions = {} } = errors?.[0] ?? {};
  const code = String(extensions.code ?? "");
  return new Problem(kindOf(status, code), message || `There is no usable answer at the moment (status ${status}).`, {
    code,
    extensions,
    retryAfter,
  });
}

async function open(method, path, { body, signal, accept = "application/json" }) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  let answer;
  try {
    answer = await fetch(path, {
      method,
      cache: "no-store",
      headers: { Accept: accept, ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
      signal: AbortSignal.any([patience.signal, ...(signal ? [signal] : [])]),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem("unavailable", "The server did not answer.");
  } finally {
    clearTimeout(timer);
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({})); // a proxy's own answer is a page
  throw problemOf(said.errors, { status: answer.status, retryAfter: seconds(answer.headers.get("Retry-After")) });
}

function kindOf(status, code) {
  if (status === 401 || status === 403) return UNKNOWN_CALLER.has(code) ? "signed-out" : "refused";
  return status >= 500 || status === 429 || status === 408 ? "unavailable" : "invalid";
}

function broken(error) {
  return error.name === "AbortError" ? error : new Problem("unavailable", "The answer broke off.");
}

/** Reads Retry-After, which is a number of seconds or a date. */
function seconds(header) {
  if (!header) return null;
  const number = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(number) ? Math.max(1, Math.ceil(number)) : null;
}
