// A button that copies an ID, and says so to those who see and to those who listen.

import { announce, el, icon } from "./dom.js";

const SHOWN = 1500; // milliseconds

export function copyButton(id) {
  const button = el("button", { type: "button", class: "copy", title: `Copy ${id}`, "aria-label": `Copy ID ${id}` });
  button.append(icon("copy"));
  button.addEventListener("click", async () => {
    const copied = await write(id);
    announce(copied ? `Copied ${id}` : `This browser did not copy: ${id}`);
    if (!copied) return;
    button.replaceChildren(icon("done"));
    setTimeout(() => button.replaceChildren(icon("copy")), SHOWN);
  });
  return button;
}

/** Browsers let only pages of https and of this machine write to the clipboard. */
async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
