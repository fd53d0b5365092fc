// Suggestions; forms work without.
for (const box of document.querySelectorAll(".cherche input[type=search]")) {
  const list = document.createElement("ul");
  const set = (node, values) => Object.entries(values).forEach((pair) => node.setAttribute(...pair));
  let at = -1, waiting, turn = 0;
  set(list, { id: box.id + "-liste", class: "propositions", role: "listbox", "aria-label": box.labels[0].textContent });
  set(box, { role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id });
  box.after(list);
  const point = (place) => {
    at = place;
    [...list.children].forEach((each, n) => set(each, { "aria-selected": n === at }));
    set(box, { "aria-activedescendant": list.children[at]?.id ?? "" });
  };
  const show = (open) => {
    list.hidden = !open;
    set(box, { "aria-expanded": !!open });
    point(-1);
  };
  const fill = async () => {
    const mine = ++turn;
    const asked = new URLSearchParams({ q: box.value, lang: box.closest("[lang]").lang });
    const answer = await fetch("/recherche/suggestions?" + asked).catch(() => 0);
    if (!answer?.ok || mine !== turn) return;
    const [, names, kinds, pages] = await answer.json();
    list.replaceChildren(...names.map((name, n) => {
      const each = document.createElement("li");
      set(each, { id: list.id + n, role: "option" });
      each.textContent = `${name} (${kinds[n]})`;
      each.onmousedown = () => (location = pages[n]);
      return each;
    }));
    show(names.length);
  };
  show(false);
  box.onblur = () => show(false);
  box.oninput = () => waiting = clearTimeout(waiting) ?? setTimeout(fill, 150);
  box.onkeydown = (event) => {
    const last = list.children.length - 1, step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") show(false);
    if (list.hidden) return;
    if (step) point(at + step > last ? -1 : at + step < -1 ? last : at + step);
    else if (event.key !== "Enter" || at < 0) return;
    else list.children[at].onmousedown();
    event.preventDefault();
  };
}
