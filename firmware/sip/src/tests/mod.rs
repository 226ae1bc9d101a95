mod framing;
mod laws;
mod rewriting;
