// Looks again when something changed, and sends forms without losing the place. The page works without it.
"use strict";
(() => {
  const root = document.documentElement;
  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const isTyping = (pane) => {
    const field = document.activeElement;
    return pane.contains(field) && field.matches("input[name=text]") && field.value !== "";
  };

  function show(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    if (!fresh.documentElement.dataset.version) return;
    root.dataset.version = fresh.documentElement.dataset.version;
    for (const pane of document.querySelectorAll("[data-pane]")) {
      const now = fresh.getElementById(pane.id);
      if (!now || pane.innerHTML === now.innerHTML || isTyping(pane)) continue;
      const focused = pane.contains(document.activeElement) ? document.activeElement.id : "";
      pane.replaceChildren(...document.importNode(now, true).childNodes);
      if (focused) document.getElementById(focused)?.focus();
    }
    scrollMessages();
  }

  function scrollMessages() {
    const messages = document.querySelector(".messages");
    if (messages) messages.scrollTop = messages.scrollHeight;
  }

  async function look() {
    show(await (await fetch("/sandbox", { cache: "no-store" })).text());
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

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form, event.submitter));
    const button = event.submitter ?? form.querySelector("button");
    button.setAttribute("aria-busy", "true");
    form.querySelector("input[name=text]")?.blur();
    try {
      show(await (await fetch(form.action, { method: "POST", body })).text());
    } catch {
      location.reload();
    }
    button.removeAttribute("aria-busy");
    form.reset();
  });

  scrollMessages();
  watch();
})();
