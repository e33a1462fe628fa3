// Calls the sidecar through the proxy as a front end does: with Directus's own SDK. Reads its requests from standard
// input, {url, email, password, token, requests: [{path, method, params, body}]}, and writes each outcome, for each
// way to sign in.
import { authentication, createDirectus, customEndpoint, readMe, rest, staticToken } from '@directus/sdk';

const { url, email, password, token, requests } = JSON.parse(await text(process.stdin));

async function text(stream) {
	let all = '';
	for await (const chunk of stream) all += chunk;
	return all;
}

// Node stores no cookies; a browser does.
function browser() {
	const cookies = new Map();
	return async (address, options = {}) => {
		const headers = new Headers(options.headers);
		if (cookies.size) headers.set('cookie', [...cookies].map((pair) => pair.join('=')).join('; '));
		const answer = await fetch(address, { ...options, headers });
		for (const line of answer.headers.getSetCookie()) {
			const [name, value] = line.split(';')[0].split('=');
			cookies.set(name, value);
		}
		return answer;
	};
}

async function outcome(client, request) {
	try {
		return { result: await client.request(customEndpoint(request)) };
	} catch (error) {
		return { errors: error.errors, status: error.response?.status, message: error.message };
	}
}

async function all(client) {
	const me = await client.request(readMe({ fields: ['email'] }));
	const outcomes = [];
	for (const request of requests) outcomes.push(await outcome(client, request));
	return { me: me.email, outcomes };
}

const session = createDirectus(url, { globals: { fetch: browser() } })
	.with(authentication('session', { credentials: 'include' }))
	.with(rest({ credentials: 'include' }));
await session.login({ email, password });
const json = createDirectus(url).with(authentication('json')).with(rest());
await json.login({ email, password });
const fixed = createDirectus(url).with(staticToken(token)).with(rest());

const outcomes = { session: await all(session), json: await all(json), static: await all(fixed) };
// The SDK's timers would keep the process alive. A pipe takes 64 KiB at once, so the rest must have left before.
process.stdout.write(JSON.stringify(outcomes), () => process.exit(0));
