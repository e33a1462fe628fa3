// One list of the page: rows as they arrive, and the states in which there are none or not all.

import { lines, problemOf, Problem } from "./api.js";
import { announce, el } from "./dom.js";
import { counted, NOTHING } from "./format.js";
import { brokenOffPanel, emptyPanel, problemPanel } from "./panels.js";

const SKELETON = 4;
const BETWEEN_NEWS = 3000; // milliseconds between two announcements of progress

export class List {
  #running = new AbortController();
  #count = 0;
  #said = 0;
  #seen = new Set();

  /**
   * `columns` have `name`, `key` (the attribute, unless the column is our `own`), and `cell(entry)`, which gives text
   * or an element. `onProblem` says whether it took a problem over.
   */
  constructor(section, noun, columns, { onProblem, onEnd = () => {} }) {
    Object.assign(this, { section, noun, columns, onProblem, onEnd });
    this.table = section.querySelector("table");
    this.body = el("tbody", { role: "rowgroup" });
    // Rows become blocks where there is little room, which takes a table's roles away: so they are named.
    this.table.setAttribute("role", "table");
    const heads = columns.map(({ name, unseen }) =>
      el("th", { scope: "col", role: "columnheader" }, unseen ? el("span", { class: "unseen" }, name) : name),
    );
    this.table.append(el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads)), this.body);
    section.querySelector("[data-do=reload]").addEventListener("click", () => this.load());
  }

  /** Shows the list at `path` from its beginning; whatever was being shown is given up. */
  async load({ path = this.path, empty = this.empty } = {}) {
    Object.assign(this, { path, empty });
    this.clear();
    this.#state("loading");
    this.#progress(`Loading ${this.noun}s …`);
    this.body.replaceChildren(...Array.from({ length: SKELETON }, () => this.#skeleton()));
    await this.#read(path, this.#running);
  }

  clear() {
    this.#running.abort();
    this.#running = new AbortController();
    [this.#count, this.#said] = [0, 0];
    this.#seen.clear();
    this.body.replaceChildren();
    this.#slot("notice");
    this.#slot("instead");
    this.#foot();
    this.#state("idle");
    this.#progress("");
  }

  async #read(path, running) {
    let end = null;
    try {
      for await (const batch of lines(path, running.signal)) {
        if (running.signal.aborted) return;
        end = this.#add(batch) ?? end;
      }
    } catch (error) {
      if (running.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      return this.#broken(error);
    }
    if (running.signal.aborted) return;
    if (end?.complete) return this.#whole();
    this.#broken(end ? problemOf(end.errors) : new Problem("unavailable", "The list has no end."), end?.starting_after);
  }

  /** Adds rows; gives the line that ends the list if it is among them. */
  #add(batch) {
    const end = batch.find((line) => "complete" in line && !("object" in line));
    const entries = batch.filter((line) => line !== end);
    if (!entries.length) return end;
    if (!this.#count) this.body.replaceChildren();
    this.#state("rows");
    for (const entry of entries) Object.keys(entry).forEach((key) => this.#seen.add(key));
    this.body.append(...entries.map((entry) => this.#row(entry)));
    this.#count += entries.length;
    this.#progress(`${counted(this.#count, this.noun)} so far …`);
    return end;
  }

  #whole() {
    this.section.removeAttribute("aria-busy");
    if (this.#count) this.#progress(`${counted(this.#count, this.noun)}, all`);
    else this.#empty();
    this.#foot();
    this.onEnd();
  }

  #empty() {
    this.body.replaceChildren();
    this.#state("empty");
    this.#slot("instead", emptyPanel(...this.empty));
    this.#progress("", `${this.empty[0]}.`);
  }

  #broken(problem, cursor) {
    this.section.removeAttribute("aria-busy");
    if (this.onProblem(problem)) return;
    if (this.#count) this.#notAll(problem, cursor);
    else this.#none(problem);
    this.onEnd();
  }

  /** Nothing came: a panel in the rows' place. */
  #none(problem) {
    const refused = problem.kind === "refused";
    const title = refused ? `You may not see ${this.noun}s` : `The ${this.noun}s cannot be shown now`;
    this.body.replaceChildren();
    this.#state(problem.kind);
    this.#slot("instead", problemPanel(title, problem, () => this.#again(() => this.load())));
    this.#progress("", `${title}. ${problem.message}`);
  }

  /** Something came, and stays. */
  #notAll(problem, cursor) {
    const title = `The list broke off after ${counted(this.#count, this.noun)}`;
    const onward = cursor
      ? { label: "Go on from here", go: () => this.#again(() => this.#goOn(cursor)) }
      : { label: "Try again from the start", go: () => this.#again(() => this.load()) };
    this.#state("broken");
    this.#slot("notice", brokenOffPanel(title, problem, onward));
    this.#progress(`${counted(this.#count, this.noun)}, not all`, `${title}.`);
    this.#foot();
  }

  #goOn(cursor) {
    this.#slot("notice");
    this.#state("rows");
    this.section.setAttribute("aria-busy", "true");
    return this.#read(`${this.path}?starting_after=${encodeURIComponent(cursor)}`, this.#running);
  }

  /** The pressed button is about to go: its list's heading takes the focus. */
  #again(go) {
    this.section.querySelector("h2").focus();
    return go();
  }

  #row(entry) {
    const cells = this.columns.map(({ key, cell, head, own }) => {
      const content = own || key in entry ? cell(entry) : NOTHING;
      const role = head ? { scope: "row", role: "rowheader" } : { role: "cell" };
      return el(head ? "th" : "td", { class: key, ...role }, content);
    });
    return el("tr", { role: "row" }, ...cells);
  }

  #skeleton() {
    const cells = this.columns.map(({ key }) => el("td", { class: key }, el("span", { class: "bone" })));
    return el("tr", { "aria-hidden": "true" }, ...cells);
  }

  #state(state) {
    this.section.dataset.state = state;
    if (state === "loading" || state === "rows") this.section.setAttribute("aria-busy", "true");
    else this.section.removeAttribute("aria-busy");
  }

  #slot(name, ...content) {
    this.section.querySelector(`.${name}`).replaceChildren(...content);
  }

  /** Shows where the list is; those who listen hear of it now and then, and of its end always. */
  #progress(text, spoken = text) {
    this.section.querySelector(".progress").textContent = text;
    const ended = !this.section.hasAttribute("aria-busy");
    if (!spoken || (!ended && Date.now() - this.#said < BETWEEN_NEWS)) return;
    this.#said = Date.now();
    announce(spoken);
  }

  /** Names the columns that no row carries: Directus's field list hides them, or the item's row is empty there. */
  #foot() {
    const hidden = this.columns.filter(({ key, own }) => !own && !this.#seen.has(key));
    const foot = this.section.querySelector(".foot");
    foot.hidden = !this.#count || !hidden.length;
    foot.textContent = foot.hidden ? "" : `Not in your answers: ${hidden.map(({ name }) => name.toLowerCase()).join(", ")}`;
  }
}
