const field = document.getElementById("search"), found = document.getElementById("found");
const claims = [...document.querySelectorAll("article")];
const texts = claims.map(one => one.textContent.toLowerCase());
field.parentElement.hidden = false;
field.addEventListener("input", () => {
  const words = field.value.toLowerCase().split(/\s+/);
  claims.forEach((one, at) => { one.hidden = !words.every(word => texts[at].includes(word)); });
  for (const part of document.querySelectorAll("main section"))
    part.hidden = !part.querySelector("article:not([hidden])");
  found.textContent = field.value ? claims.filter(one => !one.hidden).length + " statements" : "";
});
