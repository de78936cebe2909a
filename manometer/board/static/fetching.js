class Refused extends Error {}

export async function ask(path, parameters = "", signal = undefined) {
	const response = await fetch(`${path}?${parameters}`, { signal, cache: "no-store" });
	// The server gives the page that asks for the token instead.
	if (response.status === 401) location.reload();
	const answer = await response.json().catch(() => null);
	if (!response.ok || !answer) throw new Refused(answer?.detail ?? `The server answers with status ${response.status}.`);
	return answer;
}

export const because = (error) => (error instanceof Refused ? error.message : "The server cannot be reached.");
