//! Scenarios: frames in, frames and counters out.

mod admission;
mod capture;
mod day;
mod errors;
mod events;
mod federation;
mod fragments;
mod hostile;
mod intercept;
mod lab;
mod laws;
mod link;
mod malformed;
mod offload;
mod padding;
mod rules;
mod v6;
