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

// A picture that is chosen becomes a small square, so that one of a camera fits; without JavaScript
// the box says how large it may be.
for (const input of document.querySelectorAll("[data-shrink]")) {
  input.addEventListener("change", async () => {
    const file = input.files[0];
    if (!file) return;
    try {
      const whole = await createImageBitmap(file);
      const side = Math.min(whole.width, whole.height);
      const size = Math.min(side, Number(input.dataset.shrink));
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = size;
      const [left, top] = [(whole.width - side) / 2, (whole.height - side) / 2];
      canvas.getContext("2d").drawImage(whole, left, top, side, side, 0, 0, size, size);
      const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
      const small = new DataTransfer();
      small.items.add(new File([blob], "picture.jpg", { type: "image/jpeg" }));
      input.files = small.files;
    } catch {
      // It is no picture that this browser knows: the box says so.
    }
  });
}
