// The rows of a list: making them, hiding those that are not searched for, and what is said right below one.

import { el } from "./dom.js";
import { NOTHING } from "./format.js";
import { present } from "./panels.js";

const SKELETON = 4;

export class Rows {
  #entries = [];
  #rows = [];
  #seen = new Set();

  /**
   * `columns` have `name`, `key` (the attribute, unless the column is our `own`), `place` (where it stands in a block)
   * and `cell(entry)`, which gives text or an element; a `late` one depends on other lists.
   */
  constructor(table, { key, columns }) {
    Object.assign(this, { table, columns, key });
    this.body = el("tbody", { role: "rowgroup" });
    // Rows become blocks where there is little room, which takes a table's roles away: so they are named.
    table.setAttribute("role", "table");
    const heads = columns.map(({ name, unseen, key: attribute }) =>
      el("th", { scope: "col", role: "columnheader", class: attribute }, unseen ? el("span", { class: "unseen" }, name) : name),
    );
    table.append(el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads)), this.body);
  }

  get count() {
    return this.#entries.length;
  }

  find(id) {
    return this.#entries.find((entry) => entry.id === id);
  }

  clear() {
    [this.#entries, this.#rows] = [[], []];
    this.#seen.clear();
    this.body.replaceChildren();
  }

  add(entries) {
    if (!this.count) this.body.replaceChildren();
    for (const entry of entries) Object.keys(entry).forEach((key) => this.#seen.add(key));
    const rows = entries.map((entry) => this.#row(entry));
    this.body.append(...rows);
    this.#entries.push(...entries);
    this.#rows.push(...rows);
  }

  /** Shows that rows are awaited, to those who see. */
  await() {
    const cell = ({ key, place }) => el("td", { class: `${key} ${place}` }, el("span", { class: "bone" }));
    const row = () => el("tr", { "aria-hidden": "true" }, ...this.columns.map(cell));
    this.body.replaceChildren(...Array.from({ length: SKELETON }, row));
  }

  /** Writes anew what depends on other lists, such as names of customers. */
  refresh() {
    for (const [place, column] of this.columns.entries()) {
      if (!column.late) continue;
      for (const [number, row] of this.#rows.entries()) this.#fill(row.cells[place], column, this.#entries[number]);
    }
  }

  /** Hides the rows that have not all `words`, in what they show or in their ID; gives how many are left. */
  filter(words) {
    let found = 0;
    for (const [number, row] of this.#rows.entries()) {
      const text = words.length ? `${row.textContent} ${this.#entries[number].id ?? ""}`.toLowerCase() : "";
      row.hidden = !words.every((word) => text.includes(word));
      if (row.hidden) this.sayAt(row, null);
      found += !row.hidden;
    }
    this.table.hidden = this.count > 0 && found === 0;
    return found;
  }

  /** Shows a panel right below a row; null takes it away. */
  sayAt(row, panel) {
    if (row.nextElementSibling?.matches(".said-here")) row.nextElementSibling.remove();
    if (!panel) return;
    const slot = el("td", { colspan: this.columns.length, role: "cell" });
    row.after(el("tr", { class: "said-here", role: "row" }, slot));
    present(slot, panel);
  }

  /** Names the columns that no row carries: Directus's field list hides them, or the item's row is empty there. */
  get hiddenColumns() {
    return this.columns.filter(({ key, own }) => !own && !this.#seen.has(key)).map(({ name }) => name);
  }

  #row(entry) {
    const cells = this.columns.map((column) => {
      const role = column.head ? { scope: "row", role: "rowheader" } : { role: "cell" };
      const cell = el(column.head ? "th" : "td", { class: `${column.key} ${column.place}`, ...role });
      this.#fill(cell, column, entry);
      return cell;
    });
    return el("tr", { role: "row" }, ...cells);
  }

  #fill(place, { key, cell, head, own }, entry) {
    const content = own || key in entry ? cell(entry) : NOTHING;
    place.replaceChildren(head && entry.id ? el("a", { href: `#${this.key}/${entry.id}` }, content) : content);
  }
}
