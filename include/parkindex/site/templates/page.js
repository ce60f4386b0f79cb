"use strict";
(() => {
  const root = document.documentElement;
  const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* storage is off: the address carries the choice */ } };
  const recall = (key) => {
    const asked = new URLSearchParams(location.search).get(key);
    if (asked) return asked;
    try { return localStorage.getItem(key); } catch { return null; }
  };
  const settings = {};

  const carry = (key, value) => {
    settings[key] = value;
    remember(key, value);
    for (const link of document.querySelectorAll("a[href*='.html']")) {
      const [path, anchor] = link.getAttribute("href").split("#");
      const query = new URLSearchParams(settings).toString();
      link.setAttribute("href", path.split("?")[0] + "?" + query + (anchor ? "#" + anchor : ""));
    }
  };

  const setLanguage = (language) => {
    root.dataset.lang = language;
    root.lang = language === "en" ? "en" : "zh-CN";
    carry("lang", language);
  };
  const language = recall("lang");
  if (language === "en" || language === "zh") setLanguage(language);
  document.getElementById("language").addEventListener("click", () => setLanguage(root.dataset.lang === "en" ? "zh" : "en"));

  const themeButton = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
  const sayTheme = () => themeButton.setAttribute("aria-pressed", String(isDark()));
  const setTheme = (theme) => {
    root.dataset.theme = theme;
    sayTheme();
    carry("theme", theme);
  };
  const theme = recall("theme");
  if (theme === "dark" || theme === "light") setTheme(theme);
  sayTheme();
  system.addEventListener("change", sayTheme);
  themeButton.addEventListener("click", () => setTheme(isDark() ? "light" : "dark"));

  const table = document.getElementById("ranking");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const headers = [...table.tHead.rows[0].cells];

  // Numbers before words, and what has no value last in both directions.
  const key = (row, column) => {
    const text = row.cells[column].dataset.sort;
    return text === "" || Number.isNaN(Number(text)) ? text : Number(text);
  };
  const sortBy = (column, direction) => {
    const sign = direction === "ascending" ? 1 : -1;
    body.append(...[...rows].sort((first, second) => {
      const [a, b] = [key(first, column), key(second, column)];
      if (a === "" || b === "") return (a === "") - (b === "");
      return a < b ? -sign : a > b ? sign : 0;
    }));
    headers.forEach((header, index) => {
      if (index === column) header.setAttribute("aria-sort", direction); else header.removeAttribute("aria-sort");
    });
  };
  headers.forEach((header, column) => {
    const button = header.querySelector("button");
    if (button) button.addEventListener("click", () => sortBy(column, header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending"));
  });

  const filters = document.getElementById("filters");
  const search = document.getElementById("search");
  const filter = () => {
    const wanted = search.value.normalize("NFKC").trim().toLowerCase();
    const peers = new FormData(filters).get("peers");
    let count = 0;
    for (const row of rows) {
      row.hidden = !((!peers || row.dataset.peers === peers) && row.dataset.text.normalize("NFKC").toLowerCase().includes(wanted));
      count += row.hidden ? 0 : 1;
    }
    document.getElementById("shown").value = count;
    document.getElementById("nothing").hidden = count > 0;
  };
  filters.addEventListener("input", filter);
  filters.addEventListener("submit", (event) => event.preventDefault());
  filter();
})();
