// Looks again when something changed, sends forms in place, asks for suggestions. The page works without it.
"use strict";
(() => {
  const root = document.documentElement;
  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const isTyping = (pane) => {
    const field = document.activeElement;
    const isWriting = pane.contains(field) && field.matches("input[name=text]") && field.value !== "";
    return isWriting || pane.querySelector("form[data-dirty], details[open]") !== null;
  };

  function show(html, isAnswer) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    if (!fresh.documentElement.dataset.version) return;
    root.dataset.version = fresh.documentElement.dataset.version;
    for (const pane of document.querySelectorAll("[data-pane]")) {
      const now = fresh.getElementById(pane.id);
      if (!now || pane.innerHTML === now.innerHTML || (!isAnswer && isTyping(pane))) continue;
      const focused = pane.contains(document.activeElement) ? document.activeElement.id : "";
      pane.replaceChildren(...document.importNode(now, true).childNodes);
      if (focused) document.getElementById(focused)?.focus();
    }
    scrollMessages();
    if (isAnswer) document.querySelector(".sheet")?.scrollIntoView({ block: "nearest" });
  }

  // To the newest message: its end, or its beginning when it is taller than the pane.
  function scrollMessages() {
    const messages = document.querySelector(".messages");
    const last = messages?.lastElementChild;
    if (last) messages.scrollTop = Math.min(messages.scrollHeight, last.offsetTop - messages.offsetTop - 8);
  }

  let isPressed = false; // what a pointer presses stays, or the click hits nothing
  addEventListener("pointerdown", () => (isPressed = true), true);
  addEventListener("pointerup", () => (isPressed = false), true);

  let sending = 0;
  let answers = 0;

  async function look() {
    const before = answers;
    const html = await (await fetch("/sandbox", { cache: "no-store" })).text();
    if (isPressed) await pause(300);
    // What was asked for before an answer came knows less than the answer.
    if (answers === before) show(html);
  }

  async function watch() {
    for (;;) {
      try {
        const answer = await fetch(`/sandbox/changes?since=${root.dataset.version}`, { cache: "no-store" });
        if (!answer.ok) throw new Error(answer.status);
        if ((await answer.text()) !== root.dataset.version) await look();
        await pause(100);
      } catch {
        await pause(2000);
      }
    }
  }

  let asking = 0;
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    event.preventDefault();
    // Asked later, it would be for a form that is put away or emptied.
    clearTimeout(asking);
    const button = event.submitter ?? form.querySelector("button");
    const url = event.submitter?.hasAttribute("formaction") ? event.submitter.formAction : form.action;
    const data = new FormData(form, event.submitter);
    const body = form.enctype === "multipart/form-data" ? data : new URLSearchParams(data);
    button.setAttribute("aria-busy", "true");
    root.dataset.sending = ++sending;
    form.querySelector("input[name=text]")?.blur();
    try {
      const html = await (await fetch(url, { method: "POST", body })).text();
      answers += 1;
      show(html, true);
    } catch {
      location.reload();
    }
    button.removeAttribute("aria-busy");
    if (--sending === 0) delete root.dataset.sending;
    form.reset();
  });

  document.addEventListener("input", (event) => {
    const field = event.target;
    field.closest("form[data-draft]")?.setAttribute("data-dirty", "");
    if (!field.dataset.suggest) return;
    clearTimeout(asking);
    asking = setTimeout(async () => {
      const body = new FormData(field.form);
      body.set("suggest", field.dataset.suggest);
      field.list.innerHTML = await (await fetch("/sandbox/suggestions", { method: "POST", body })).text();
    }, 250);
  });

  document.addEventListener("contextmenu", (event) => {
    const menu = event.target.closest("[data-menu]")?.querySelector(".menu");
    if (!menu) return;
    event.preventDefault();
    menu.open = !menu.open;
  });

  scrollMessages();
  watch();
})();
