// What the signed-in person may do, to offer that and nothing else. Directus and the sidecar say so; nothing is decided
// here. What could not be asked is offered: the sidecar refuses by itself whatever is not allowed.

import { ask, Problem } from "./api.js";

/** Gives `may(operation)`, which takes a name of README's table of operations. Throws Problem if nobody is signed in. */
export async function askRights() {
  const [granted, operations] = await Promise.all([unless(askDirectus), unless(askSidecar)]);
  return (operation) => {
    if (!operations) return true;
    const needed = operations.get(operation);
    return Boolean(needed) && (!granted || isGranted(granted, needed));
  };
}

const askDirectus = async () => (await ask("GET", "/permissions/me")).data;

/** Gives what each operation that is on needs in Directus. */
async function askSidecar() {
  const { paths } = await ask("GET", "/stripe/openapi.json");
  const operations = Object.values(paths).flatMap(Object.values);
  return new Map(operations.map((operation) => [operation.operationId, operation["x-directus-permission"]]));
}

function isGranted(granted, { collection, action, every_customer: further }) {
  const access = (wanted) => granted[collection]?.[wanted]?.access ?? "none";
  if (access(action) === "none") return false;
  return !(further && access(action) === "full" && access(further) === "none");
}

async function unless(asking) {
  try {
    return await asking();
  } catch (error) {
    if (!(error instanceof Problem) || error.kind === "signed-out") throw error;
    return null;
  }
}
