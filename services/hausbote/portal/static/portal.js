"use strict";

// What has data-again="SECONDS" is fetched anew and replaced while somebody looks at the page.
for (const part of document.querySelectorAll("[data-again]")) {
  const id = part.id;
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(id);
      const old = document.getElementById(id);
      if (fresh && old && fresh.innerHTML !== old.innerHTML && !old.contains(document.activeElement)) {
        old.innerHTML = fresh.innerHTML;
      }
    } catch {
      // The box may be starting: the next look finds it again.
    }
  };
  setInterval(look, Number(part.dataset.again) * 1000);
}

// What has data-next="PATH" goes there as soon as the box has started again.
for (const part of document.querySelectorAll("[data-next]")) {
  const look = async () => {
    try {
      const answer = await fetch(part.dataset.next, { credentials: "same-origin" });
      if (answer.ok && !(await answer.text()).includes("data-next")) location.assign(part.dataset.next);
    } catch {
      // Not yet.
    }
  };
  setInterval(look, 2000);
}

// A button that copies what it names; without JavaScript there is none.
for (const place of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = place.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(place.dataset.text);
    button.textContent = place.dataset.copied;
  });
  place.append(button);
}
