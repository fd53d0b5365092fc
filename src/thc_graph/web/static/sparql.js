// The editor of the query page: opened on demand over the plain form, which stays the
// accessible way and takes the text back. Nothing is asked of any other site.
const place = document.getElementById("editeur");
const form = document.querySelector("form.requete");
const plain = document.getElementById("query");

if (place && form && plain && window.Yasgui) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-expanded", "false");
  button.setAttribute("aria-controls", "editeur");
  button.textContent = place.dataset.open;
  form.before(button);
  let editor = null;

  button.addEventListener("click", () => {
    const opening = place.hidden;
    if (opening && !editor) editor = open();
    if (opening) editor.getTab().getYasqe().setValue(plain.value);
    else plain.value = editor.getTab().getYasqe().getValue();
    place.hidden = !opening;
    form.hidden = opening;
    button.setAttribute("aria-expanded", String(opening));
    button.textContent = opening ? place.dataset.close : place.dataset.open;
    if (opening) editor.getTab().getYasqe().refresh();
  });
}

function open() {
  const help = document.createElement("p");
  help.textContent = place.dataset.help;
  const target = document.createElement("div");
  place.append(help, target);
  // Only names of variables are completed: the other completers call sites of their own.
  window.Yasgui.Yasqe.defaults.autocompleters = ["variables"];
  window.Yasgui.defaults.endpointCatalogueOptions.getData = () => [];
  const made = new window.Yasgui(target, {
    requestConfig: { endpoint: new URL("/sparql", location.href).href, method: "POST" },
    copyEndpointOnNewTab: false,
    persistenceId: null,
    autofocus: false,
    yasqe: { createShareableLink: null, createShortLink: null, showQueryButton: true },
  });
  label(target);
  new MutationObserver(() => label(target)).observe(target, { childList: true, subtree: true });
  return made;
}

// What assistive tools cannot tell by themselves: names of the boxes and of the column of
// numbers, what can be scrolled, and no false tabs.
function label(target) {
  for (const box of target.querySelectorAll("textarea, input, select")) {
    if (!box.getAttribute("aria-label") && !box.labels?.length) {
      box.setAttribute("aria-label", box.placeholder || place.dataset.query);
    }
  }
  for (const heading of target.querySelectorAll("th:first-child .dt-column-title:empty")) {
    heading.textContent = place.dataset.number;
  }
  for (const wide of target.querySelectorAll(":is(.yasr_results, pre):not([tabindex])")) {
    wide.tabIndex = 0;
  }
  for (const list of target.querySelectorAll("[role=tablist]")) {
    if (list.closest(".yasgui") && list.querySelector(".addTab, .tabsList")) list.removeAttribute("role");
  }
}
