// One entry: what it is, and exactly what the sidecar answered of it.

import { copyButton } from "./copy.js";
import { byId, el } from "./dom.js";
import { emptyPanel, present } from "./panels.js";

export class Detail {
  constructor() {
    this.section = byId("detail");
    this.title = byId("detail-title");
  }

  /** Shows `entry` of a kind; null while it is still being looked for, undefined if the list has no such entry. */
  show({ kind, entry, list }) {
    byId("back").setAttribute("href", `#${list}`);
    byId("back").querySelector("span").textContent = kind.title;
    this.title.textContent = entry ? kind.titleOf(entry) : kind.title;
    this.#slot("tools", ...(entry ? [kind.statusOf?.(entry), ...(kind.actionsOf?.(entry) ?? [])] : []));
    this.#slot("content", ...(entry ? this.#about(kind, entry) : [nobody(kind, entry)]));
  }

  forget() {
    this.section.hidden = true;
    this.shown = null;
    this.title.textContent = "";
    for (const name of ["tools", "notice", "content"]) this.#slot(name);
  }

  /** Shows a panel above the entry; null takes it away. */
  say(panel) {
    const slot = this.section.querySelector(".notice");
    if (panel) present(slot, panel);
    else slot.replaceChildren();
  }

  #about(kind, entry) {
    const facts = [["ID", "id", el("span", { class: "id" }, entry.id, copyButton(entry.id))], ...kind.facts(entry)];
    const shown = facts.filter(([, , content]) => content);
    const list = shown.map(([name, , content]) => el("div", {}, el("dt", {}, name), el("dd", {}, content)));
    return [
      el("dl", { class: "facts" }, ...list),
      el(
        "details",
        { class: "answer" },
        el("summary", {}, `What the sidecar answers you: ${Object.keys(entry).length} attributes`),
        el("pre", {}, JSON.stringify(entry, null, 2)),
      ),
    ];
  }

  #slot(name, ...content) {
    this.section.querySelector(`.${name}`).replaceChildren(...content.filter(Boolean));
  }
}

function nobody({ noun }, entry) {
  if (entry === null) return el("p", { class: "hint" }, `Looking for this ${noun} …`);
  return emptyPanel(`No such ${noun}`, `Among the ${noun}s that you may see there is none with this ID.`);
}
