"use strict";
// The arithmetic of the ranking (docs/method/scores.md) on exact integers: scores carry 12 decimals, weights 6.
(() => {
  const model = JSON.parse(document.getElementById("model").textContent);
  const digits = (text, places) => {
    const [whole, part = ""] = text.split(".");
    return BigInt(whole + part.padEnd(places, "0").slice(0, places));
  };
  const STORED = 12, WEIGHT = 6;
  const scores = model.scores.map((row) => row.map((text) => text === null ? null : digits(text, STORED)));
  const published = model.indicators.map((one) => digits(one.weight, WEIGHT));
  const minShare = digits(model.min_share, STORED);
  const areaOf = model.indicators.map((one) => model.areas.indexOf(one.area));
  const halfUp = (numerator, denominator) => (2n * numerator + denominator) / (2n * denominator);

  // Totals of every park, 12 decimals, null where an area that counts has no score.
  const totals = (weights) => {
    const sum = model.areas.map(() => 0n);
    weights.forEach((weight, place) => { sum[areaOf[place]] += weight; });
    const all = sum.reduce((one, other) => one + other, 0n);
    return scores.map((row) => {
      const gained = model.areas.map(() => 0n), there = model.areas.map(() => 0n);
      row.forEach((score, place) => {
        if (score === null) return;
        gained[areaOf[place]] += weights[place] * score;
        there[areaOf[place]] += weights[place];
      });
      let total = 0n;
      for (let area = 0; area < sum.length; area += 1) {
        if (sum[area] === 0n) continue;
        if (there[area] === 0n || there[area] * 10n ** BigInt(STORED) < minShare * sum[area]) return null;
        total += sum[area] * halfUp(gained[area], there[area]);
      }
      return all === 0n ? null : halfUp(total, all);
    });
  };
  const unit = 10n ** BigInt(STORED - model.decimals);
  const rounded = (values) => values.map((value) => value === null ? null : halfUp(value, unit));
  const ranks = (values) => values.map((value) => value === null ? null : 1 + values.filter((other) => other !== null && other > value).length);

  // Small, seeded and the same everywhere: the page says the same each time it is asked the same.
  const generator = (seed) => () => {
    seed = (seed + 0x6D2B79F5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const intervals = (weights, centre) => {
    const draw = generator(1);
    const spread = Number(model.spread);
    const seen = centre.map(() => []);
    for (let count = 0; count < model.draws; count += 1) {
      const varied = weights.map((weight) => BigInt(Math.round(Number(weight) * (1 + spread * (2 * draw() - 1)))));
      ranks(rounded(totals(varied))).forEach((rank, park) => { if (rank !== null) seen[park].push(rank); });
    }
    return centre.map((rank, park) => {
      const sorted = seen[park].sort((one, other) => one - other);
      if (rank === null || sorted.length === 0) return null;
      const at = (share) => sorted[Math.max(Math.ceil(share * sorted.length), 1) - 1];
      return [Math.min(at(0.05), rank), Math.max(at(0.95), rank)];
    });
  };

  const body = document.getElementById("trial").tBodies[0];
  const rowOf = Object.fromEntries([...body.rows].map((row) => [row.dataset.park, row]));
  const write = (row, what, text) => { row.querySelector(`[data-is=${what}]`).value = text; };
  const decimal = (value, places) => {
    const text = String(value).padStart(places + 1, "0");
    return places ? `${text.slice(0, -places)}.${text.slice(-places)}` : text;
  };
  const plain = (value) => decimal(value, WEIGHT).replace(/\.?0+$/, "");

  let weights = [...published];
  const base = ranks(rounded(totals(published)));
  const unequal = model.parks.some((park, place) => base[place] !== park.rank);
  document.getElementById("unequal").hidden = !unequal;

  const EDGE = 6, WIDTH = 132;
  const draw = (row, rank, interval) => {
    const at = (place) => (EDGE + (place - 1) * (WIDTH - 2 * EDGE) / Math.max(model.parks.length - 1, 1)).toFixed(1);
    const svg = row.querySelector("svg");
    svg.toggleAttribute("hidden", !interval);
    if (!interval) return;
    const [low, high] = interval.map(at);
    svg.querySelector(".range").setAttribute("d", `M${low} 10H${high}`);
    svg.querySelector(".cap").setAttribute("d", `M${low} 5V15M${high} 5V15`);
    svg.querySelector(".dot")?.setAttribute("cx", at(rank));
  };

  let later = 0;
  const drawIntervals = () => {
    const now = ranks(rounded(totals(weights)));
    intervals(weights, now).forEach((interval, place) => {
      const row = rowOf[model.parks[place].code];
      draw(row, now[place], interval);
      write(row, "interval", interval ? `${interval[0]}–${interval[1]}` : "–");
    });
    body.dataset.settled = "yes";
  };
  const refresh = () => {
    body.dataset.settled = "no";
    const values = rounded(totals(weights)), now = ranks(values);
    let moved = 0;
    model.parks.forEach((park, place) => {
      const row = rowOf[park.code];
      const change = now[place] === null || base[place] === null ? null : base[place] - now[place];
      moved += base[place] !== now[place] ? 1 : 0;
      write(row, "rank", now[place] ?? "–");
      row.querySelector(".tie").hidden = now[place] === null || now.filter((rank) => rank === now[place]).length < 2;
      write(row, "score", values[place] === null ? "–" : decimal(values[place], model.decimals));
      write(row, "change", change === null ? "–" : change > 0 ? `▲ ${change}` : change < 0 ? `▼ ${-change}` : "=");
    });
    const order = model.parks.map((park, place) => place)
      .sort((one, other) => (now[one] ?? Infinity) - (now[other] ?? Infinity) || one - other);
    body.append(...order.map((place) => rowOf[model.parks[place].code]));
    const [zh, en] = document.getElementById("said").children;
    zh.textContent = `名次与公布的不同的园区：${moved}`;
    en.textContent = `Parks with another rank than the published one: ${moved}`;
    for (const input of document.querySelectorAll("#weights input")) {
      const code = input.dataset.code;
      const sum = model.indicators.reduce((total, one, place) => one.code === code || one.area === code ? total + weights[place] : total, 0n);
      input.value = plain(sum);
      input.nextElementSibling.value = Number(plain(sum)).toFixed(1);
    }
    const changed = model.indicators.flatMap((one, place) => weights[place] === published[place] ? [] : [` --set weight.${one.code}=${plain(weights[place])}`]);
    document.getElementById("command").textContent = `parkindex whatif ${model.edition}${changed.join("") || ` --set weight.${model.indicators[0].code}=${plain(weights[0])}`}`;
    clearTimeout(later);
    later = setTimeout(drawIntervals, 120);
  };

  document.getElementById("weights").addEventListener("input", (event) => {
    const code = event.target.dataset.code;
    const asked = digits(event.target.value, WEIGHT);
    const own = model.indicators.findIndex((one) => one.code === code);
    if (own >= 0) weights[own] = asked;
    else {
      const from = weights.some((weight, place) => model.indicators[place].area === code && weight > 0n) ? weights : published;
      const sum = from.reduce((total, weight, place) => model.indicators[place].area === code ? total + weight : total, 0n);
      weights = weights.map((weight, place) => model.indicators[place].area === code ? halfUp(from[place] * asked, sum) : weight);
    }
    refresh();
  });
  document.getElementById("weights").addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("reset").addEventListener("click", () => { weights = [...published]; refresh(); });
  if (!unequal) refresh();
})();
