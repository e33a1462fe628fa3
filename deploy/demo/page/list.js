// One list of the page: rows as they arrive, and the states in which there are none or not all.

import { lines, problemOf, Problem } from "./api.js";
import { announce, byId } from "./dom.js";
import { counted } from "./format.js";
import { brokenOffPanel, emptyPanel, problemPanel } from "./panels.js";
import { Rows } from "./rows.js";

const BETWEEN_NEWS = 3000; // milliseconds between two announcements of progress

export class List {
  #running = new AbortController();
  #said = 0;

  /** `kind` is one of kinds.js; `onProblem` says whether it took a problem over, `onRows` hears of rows and of the end. */
  constructor(kind, { onProblem, onRows }) {
    Object.assign(this, { kind, noun: kind.noun, onProblem, onRows });
    this.section = byId("list-template").content.cloneNode(true).querySelector("section");
    this.section.id = kind.key;
    this.heading = this.#part("h1");
    this.heading.id = `${kind.key}-title`;
    this.section.setAttribute("aria-labelledby", this.heading.id);
    this.#part("caption").textContent = `${kind.title}, as far as you may see them`;
    this.rows = new Rows(this.#part("table"), kind);
    this.#part("[data-do=reload] span").textContent = `Reload ${this.noun}s`;
    this.#part("[data-do=reload]").addEventListener("click", () => this.load());
    this.search = this.#part("input[type=search]");
    this.search.setAttribute("aria-label", `Search ${this.noun}s`);
    this.search.addEventListener("input", () => this.#filter());
    this.reset();
  }

  get isLoaded() {
    return this.section.dataset.state !== "idle";
  }

  get isBusy() {
    return this.section.hasAttribute("aria-busy");
  }

  /** Shows the list at `path` from its beginning; whatever was being shown is given up. */
  async load({ path = this.path, empty = this.empty, title = this.heading.textContent } = {}) {
    Object.assign(this, { path, empty });
    this.clear();
    this.heading.textContent = title;
    this.#state("loading");
    this.#progress(`Loading ${this.noun}s …`);
    this.rows.await();
    await this.#read(path, this.#running);
  }

  /** Forgets everything of the person who saw it. */
  reset() {
    this.clear();
    this.search.value = "";
    this.heading.textContent = this.kind.title;
    Object.assign(this, { path: this.kind.path, empty: this.kind.empty });
  }

  clear() {
    this.#running.abort();
    this.#running = new AbortController();
    this.#said = 0;
    this.rows.clear();
    this.#slot("notice");
    this.#slot("instead");
    this.#foot();
    this.#state("idle");
    this.#progress("");
    this.#filter();
  }

  /** Writes anew what depends on other lists. */
  refresh() {
    this.rows.refresh();
    this.#filter();
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
    this.#state("rows");
    this.rows.add(entries);
    this.#filter();
    this.#progress(`${counted(this.rows.count, this.noun)} so far …`);
    this.onRows(entries);
    return end;
  }

  #whole() {
    this.section.removeAttribute("aria-busy");
    if (this.rows.count) this.#progress(`${counted(this.rows.count, this.noun)}, all`);
    else this.#empty();
    this.#foot();
    this.onRows([]);
  }

  #empty() {
    this.rows.clear();
    this.#state("empty");
    this.#slot("instead", emptyPanel(...this.empty));
    this.#progress("", `${this.empty[0]}.`);
  }

  #broken(problem, cursor) {
    this.section.removeAttribute("aria-busy");
    if (this.onProblem(problem)) return;
    if (this.rows.count) this.#notAll(problem, cursor);
    else this.#none(problem);
    this.onRows([]);
  }

  /** Nothing came: a panel in the rows' place. */
  #none(problem) {
    const refused = problem.kind === "refused";
    const title = refused ? `You may not see ${this.noun}s` : `The ${this.noun}s cannot be shown now`;
    this.rows.clear();
    this.#state(problem.kind);
    this.#slot("instead", problemPanel(title, problem, () => this.#again(() => this.load())));
    this.#progress("", `${title}. ${problem.message}`);
  }

  /** Something came, and stays. */
  #notAll(problem, cursor) {
    const title = `The list broke off after ${counted(this.rows.count, this.noun)}`;
    const onward = cursor
      ? { label: "Go on from here", go: () => this.#again(() => this.#goOn(cursor)) }
      : { label: "Try again from the start", go: () => this.#again(() => this.load()) };
    this.#state("broken");
    this.#slot("notice", brokenOffPanel(title, problem, onward));
    this.#progress(`${counted(this.rows.count, this.noun)}, not all`, `${title}.`);
    this.#foot();
  }

  #goOn(cursor) {
    this.#slot("notice");
    this.#state("rows");
    this.section.setAttribute("aria-busy", "true");
    const after = `${this.path.includes("?") ? "&" : "?"}starting_after=${encodeURIComponent(cursor)}`;
    return this.#read(`${this.path}${after}`, this.#running);
  }

  /** The pressed button is about to go: its list's heading takes the focus. */
  #again(go) {
    this.heading.focus();
    return go();
  }

  #filter() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = this.rows.filter(words);
    this.#part(".found").textContent = words.length && this.rows.count ? `${found} of ${this.rows.count} match` : "";
  }

  #state(state) {
    this.section.dataset.state = state;
    if (state === "loading" || state === "rows") this.section.setAttribute("aria-busy", "true");
    else this.section.removeAttribute("aria-busy");
  }

  #slot(name, ...content) {
    this.#part(`.${name}`).replaceChildren(...content);
  }

  #part(selector) {
    return this.section.querySelector(selector);
  }

  /** Shows where the list is; those who listen hear of it now and then, and of its end always. */
  #progress(text, spoken = text) {
    this.#part(".progress").textContent = text;
    if (!spoken || (this.isBusy && Date.now() - this.#said < BETWEEN_NEWS)) return;
    this.#said = Date.now();
    announce(spoken);
  }

  #foot() {
    const hidden = this.rows.hiddenColumns.map((name) => name.toLowerCase());
    const foot = this.#part(".foot");
    foot.hidden = !this.rows.count || !hidden.length;
    foot.textContent = foot.hidden ? "" : `Not in your answers: ${hidden.join(", ")}`;
  }
}
