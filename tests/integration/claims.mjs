// Reads lines of JSON, each a token, and writes what Directus decides by: whether it is its own JWT, and its claims.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules] = process.argv.slice(2);
const require = createRequire(`${modules}/@directus/api/package.json`);
const jwt = require('jsonwebtoken');
const path = pathToFileURL(`${modules}/@directus/api/dist/utils/is-directus-jwt.js`);
const isDirectusJWT = (await import(path)).default;

const claims = (token, options) => {
  try {
    return jwt.decode(token, options);
  } catch {
    return null;
  }
};
const names = (found) => (found !== null && typeof found === 'object' && !Array.isArray(found) ? Object.keys(found) : []);

for await (const line of createInterface({ input: process.stdin })) {
  const token = JSON.parse(line);
  const [decided, verified] = [claims(token, { json: true }), claims(token)];
  const own = isDirectusJWT(token);
  const answer = { own, names: [...names(decided), ...names(verified)], user: decided?.id ?? null };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
