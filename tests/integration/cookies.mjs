// Reads lines of JSON, each the `Cookie` headers of a request, and writes what Directus takes for the request's token.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [modules] = process.argv.slice(2);
const load = async (path) => (await import(pathToFileURL(`${modules}/${path}`))).default;
const parse = (await load('cookie-parser/index.js'))();
const extract = await load('@directus/api/dist/middleware/extract-token.js');

for await (const line of createInterface({ input: process.stdin })) {
  // Node joins several headers like this (its documentation, "message.headers").
  const request = { query: {}, headers: { cookie: JSON.parse(line).join('; ') } };
  parse(request, {}, () => extract(request, {}, () => {}));
  const { token } = request;
  process.stdout.write(`${JSON.stringify(token === null || typeof token === 'string' ? { token } : { other: typeof token })}\n`);
}
