// The places of the list as points of a map that zooms; near ones stand as one until there is room.
const box = document.querySelector("#zoom");
const told = box?.dataset ?? {};
const APART = 44; // pixels between two marks

const made = (name, text, values = {}) => {
  const node = document.createElement(name);
  node.textContent = text;
  return Object.assign(node, values);
};

const linked = ({ name, url }) => made(url ? "a" : "span", name, url ? { href: url } : {});

function told_of(place) {
  const { name, url, total, list, things } = place.properties;
  const node = made("div", "", { className: "bulle" });
  const items = made("ul", "");
  items.append(...things.map((each) => { const item = made("li", ""); item.append(linked(each)); return item; }));
  const title = made("p", "");
  title.append(linked({ name, url }));
  node.append(title, items);
  if (total > things.length && things.length) node.append(linked({ name: `${told.all} (${total})`, url: list }));
  return node;
}

function grouped(places, map, zoom) {
  const groups = [];
  for (const place of places) {
    const [long, lat] = place.geometry.coordinates;
    const at = map.project([lat, long], zoom);
    const near = groups.find((group) => group.at.distanceTo(at) < APART);
    if (near) near.places.push(place);
    else groups.push({ at, where: L.latLng(lat, long), places: [place] });
  }
  return groups;
}

function marked(group, map) {
  const total = group.places.reduce((sum, place) => sum + place.properties.total, 0);
  const names = group.places.map((place) => place.properties.name);
  const title = names.length > 3 ? `${names.length} ${told.several}, ${names.slice(0, 3).join(", ")}…` : names.join(", ");
  const icon = L.divIcon({ className: "marque-lieu", iconSize: [34, 34], html: made("span", total) });
  const mark = L.marker(group.where, { icon, title: `${title} (${total})`, riseOnHover: true });
  const corners = L.latLngBounds(group.places.map(({ geometry: { coordinates: [x, y] } }) => [y, x]));
  const alone = map.getZoom() >= map.getMaxZoom() || corners.getNorthEast().equals(corners.getSouthWest());
  if (group.places.length === 1 || alone) {
    const node = made("div", "");
    node.append(...group.places.map(told_of));
    mark.on("popupclose", () => mark.getElement()?.focus());
    return mark.bindPopup(node, { maxHeight: 260, minWidth: 200 });
  }
  return mark.on("click", () => {
    map.fitBounds(corners, { padding: [APART, APART], maxZoom: map.getZoom() + 4 });
    map.getContainer().focus();
  });
}

function drawn(map, marks, places) {
  marks.clearLayers();
  grouped(places, map, map.getZoom()).forEach((group) => marks.addLayer(marked(group, map)));
}

// The same outlines as the drawing above, in the colours of the page.
function ground(frame) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 2452 2340");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(svg.namespaceURI, "use");
  use.setAttribute("href", `${told.outlines}#france`);
  use.setAttribute("class", "dep");
  svg.append(use);
  return L.svgOverlay(svg, frame);
}

function pointed(map) {
  for (const item of document.querySelectorAll(".lieux [data-point]")) {
    const button = made("button", told.here, { type: "button", className: "voir" });
    button.append(made("span", ` ${item.querySelector("a").textContent}`, { className: "cache" }));
    button.onclick = () => {
      map.setView(item.dataset.point.split(" ").map(Number), Math.max(map.getZoom(), 9));
      box.scrollIntoView({ block: "center" });
      box.focus();
    };
    item.append(" ", button);
  }
}

function opened(places) {
  const [south, west, north, east] = told.frame.split(" ").map(Number);
  const frame = L.latLngBounds([south, west], [north, east]);
  box.hidden = false;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(box, { zoomControl: false, zoomSnap: 0.25, minZoom: 2, maxZoom: 12, fadeAnimation: !still, zoomAnimation: !still, markerZoomAnimation: false, scrollWheelZoom: false });
  map.attributionControl.setPrefix(false).addAttribution(told.credit);
  L.control.zoom({ zoomInTitle: told.in, zoomOutTitle: told.out }).addTo(map);
  if (told.outlines) ground(frame).addTo(map);
  map.fitBounds(frame);
  const marks = L.layerGroup().addTo(map);
  map.on("zoomend", () => drawn(map, marks, places));
  map.on("popupopen", ({ popup }) => {
    const close = popup.getElement().querySelector(".leaflet-popup-close-button");
    close?.setAttribute("aria-label", told.close);
    popup.getElement().querySelector("a[href]:not([role])")?.focus();
  });
  box.addEventListener("keydown", ({ key }) => { if (key === "Escape") map.closePopup(); });
  drawn(map, marks, places);
  pointed(map);
}

if (box && window.L) {
  const answer = await fetch(told.places).catch(() => null);
  if (answer?.ok) opened((await answer.json()).features);
}
