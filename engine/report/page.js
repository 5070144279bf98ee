"use strict";
const root = document.documentElement;
const at = (id) => document.getElementById(id);
const list = document.querySelector(".cards");
const cards = () => [...list.children];
const openers = () => cards().map((card) => card.querySelector(".open"));

const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
const themed = () => {
  at("theme").setAttribute("aria-pressed", String(dark()));
};
at("theme").addEventListener("click", () => {
  root.dataset.theme = dark() ? "light" : "dark";
  themed();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themed);
themed();

at("view").addEventListener("change", (event) => {
  document.body.dataset.view = event.target.value;
  list.querySelectorAll("audio").forEach((player) => player.pause());
});
const over = at("over");
const mark = () => {
  document.body.dataset.over = over.checked ? "on" : "off";
};
if (over) over.addEventListener("change", mark);

const value = (card, key) => {
  const found = card.dataset.order.split(";").find((one) => one.startsWith(key + "="));
  return found ? Number(found.slice(key.length + 1)) : NaN;
};
const sort = () => {
  const key = at("order").value, sign = at("down").checked ? -1 : 1;
  const place = (card) => (key ? value(card, key) : Number(card.dataset.at));
  const compared = (a, b) => {
    const [one, other] = [place(a), place(b)];
    if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other);
    return sign * (one - other);
  };
  list.append(...cards().sort(compared));
  roam(openers()[0]);
};
if (at("order")) {
  at("order").addEventListener("change", sort);
  at("down").addEventListener("change", sort);
}

// One item at a time is a stop of the Tab key; the arrows go on from there.
const roam = (chosen) => openers().forEach((one) => (one.tabIndex = one === chosen ? 0 : -1));
if (openers().length) roam(openers()[0]);
list.addEventListener("focusin", (event) => {
  if (event.target.classList.contains("open")) roam(event.target);
});
list.addEventListener("keydown", (event) => {
  const all = openers(), here = all.indexOf(event.target);
  if (here < 0) return;
  const top = list.children[0].offsetTop;
  const columns = Math.max(1, cards().filter((card) => card.offsetTop === top).length);
  const moves = { ArrowLeft: here - 1, ArrowRight: here + 1, ArrowUp: here - columns, ArrowDown: here + columns, Home: 0, End: all.length - 1 };
  if (!(event.key in moves)) return;
  event.preventDefault();
  const next = all[moves[event.key]];
  if (next) next.focus();
});

const dialog = at("one");
let shown = null;
const players = (place) => {
  place.querySelectorAll(".panel").forEach((panel) => {
    const player = panel.querySelector("audio"), time = panel.querySelector(".time");
    if (!player || !time) return;
    const line = time.querySelector("i"), share = Number(time.dataset.share);
    player.addEventListener("timeupdate", () => {
      line.style.display = "block";
      line.style.left = `${(100 * share * player.currentTime) / (player.duration || 1)}%`;
    });
    player.addEventListener("play", () => {
      document.querySelectorAll("audio").forEach((other) => other !== player && other.pause());
    });
    time.addEventListener("click", (event) => {
      if (player.duration) player.currentTime = Math.min(1, event.offsetX / time.clientWidth / share) * player.duration;
    });
  });
};
const show = (card) => {
  shown = card;
  at("one-title").replaceChildren(...[...card.querySelector("figcaption").childNodes].filter((node) => node.nodeName !== "SMALL").map((node) => node.cloneNode(true)));
  at("stage").replaceChildren(...[...card.querySelector(".frame").children].map((panel) => panel.cloneNode(true)));
  at("stage").className = "alike" in card.dataset ? "over-each" : "";
  at("numbers").replaceChildren(card.querySelector("template").content.cloneNode(true));
  players(at("stage"));
  cut();
  const all = cards(), here = all.indexOf(card);
  at("before").disabled = here === 0;
  at("after").disabled = here === all.length - 1;
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
};
const cut = () => at("stage").style.setProperty("--cut", `${at("cut").value}%`);
const turn = (step) => {
  const all = cards(), next = all[all.indexOf(shown) + step];
  if (next) show(next);
};
at("cut").addEventListener("input", cut);
at("before").addEventListener("click", () => turn(-1));
at("after").addEventListener("click", () => turn(1));
at("close").addEventListener("click", () => dialog.close());
dialog.addEventListener("keydown", (event) => {
  const free = !["INPUT", "AUDIO"].includes(event.target.nodeName);
  if (free && event.key === "ArrowLeft") turn(-1);
  if (free && event.key === "ArrowRight") turn(1);
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
dialog.addEventListener("close", () => {
  at("stage").replaceChildren();
  if (shown) shown.querySelector(".open").focus();
});
list.addEventListener("click", (event) => {
  const opener = event.target.closest(".open");
  if (opener) show(opener.closest(".card"));
});
players(list);

document.addEventListener("keydown", (event) => {
  const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.nodeName) && event.target.type !== "checkbox";
  if (!over || typing || event.ctrlKey || event.metaKey || event.altKey || event.key.toLowerCase() !== "l") return;
  over.checked = !over.checked;
  mark();
});

const rows = [...document.querySelectorAll("#all tbody tr")];
if (at("find")) at("find").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  let many = 0;
  for (const row of rows) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
    many += !row.hidden;
  }
  at("found").textContent = `${many} of ${rows.length} rows.`;
});
