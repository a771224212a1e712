// Runs before the first paint, so that a chosen theme never flashes in the other one.
{
  let theme = null;
  try {
    theme = localStorage.getItem("jackfield.theme");
  } catch {
    // Storage may be forbidden; then the system's theme holds.
  }
  if (theme === "light" || theme === "dark") {
    document.documentElement.dataset.theme = theme;
  }
}
