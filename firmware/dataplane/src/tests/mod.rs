//! Scenarios: frames in, frames and counters out.

mod admission;
mod capture;
mod errors;
mod events;
mod explain;
mod federation;
mod intercept;
mod lab;
mod laws;
mod link;
mod malformed;
mod offload;
mod offload6;
mod rules;
mod v6;
