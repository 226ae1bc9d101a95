//! Requirement: restarts are planned, shown, cancelled and carried out; the processor's time is
//! told. Needs: nothing; virtual time.

mod common;

use std::time::Duration;

use common::Box;

fn resets(sallyport: &Box) -> u32 {
    sallyport.power.requests().resets
}

#[test]
fn a_restart_after_some_time_is_shown_warned_of_and_carried_out() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    assert!(
        sallyport
            .line("show reload")
            .contains("No reload is scheduled.")
    );
    let printed = sallyport.line("reload in 0:10 noconfirm reason \"new firmware\"");
    assert!(
        printed.contains("*** --- SHUTDOWN in 0:10:00 ---"),
        "{printed}"
    );
    assert!(printed.contains("***   new firmware"), "{printed}");
    let printed = sallyport.line("show reload");
    assert!(
        printed.contains("Reload scheduled for 12:10:00 UTC Thu Jan 15 2026 (in "),
        "{printed}"
    );
    // Setting the clock does not move it.
    sallyport.line("clock set 13:00:00 jan 15 2026");
    sallyport.wait(Duration::from_secs(301));
    let printed = sallyport.line("");
    assert!(
        printed.contains("*** --- SHUTDOWN in 0:05:00 ---"),
        "{printed}"
    );
    assert_eq!(resets(&sallyport), 0);
    sallyport.wait(Duration::from_secs(298));
    assert_eq!(resets(&sallyport), 0);
    let _ = sallyport.terminal.take_text();
    sallyport.wait(Duration::from_secs(2));
    let printed = sallyport.terminal.take_text();
    assert_eq!(resets(&sallyport), 0, "the farewell is still on its way");
    sallyport.wait(Duration::from_millis(10));
    assert_eq!(resets(&sallyport), 1, "{printed}");
    assert!(
        printed.contains("*** --- START GRACEFUL SHUTDOWN ---"),
        "{printed}"
    );
}

#[test]
fn a_restart_at_a_time_follows_the_calendar_clock_and_can_be_cancelled() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    // The calendar chip tells whole seconds, so the box starts half a second into one.
    let printed = sallyport.line("reload at 11:00 noconfirm");
    assert!(printed.contains("SHUTDOWN in 22:59:59"), "{printed}");
    let printed = sallyport.line("reload cancel");
    assert!(
        printed.contains("*** --- SHUTDOWN ABORTED ---"),
        "{printed}"
    );
    let printed = sallyport.line("reload at 12:30 15 jan in 5 noconfirm");
    assert!(printed.contains("exclude each other"), "{printed}");
    let printed = sallyport.line("reload at 12:30 jan 15 save-config noconfirm");
    assert!(printed.contains("SHUTDOWN in 0:29:59"), "{printed}");
    let saved = sallyport.line("show startup-config");
    assert!(saved.contains("No Configuration"), "{saved}");
    sallyport.line("clock set 12:29:30 jan 15 2026");
    // Nobody reads the console, which holds the restart up for five seconds and no longer.
    sallyport.wait(Duration::from_secs(34));
    assert_eq!(resets(&sallyport), 0);
    sallyport.wait(Duration::from_secs(2));
    assert_eq!(resets(&sallyport), 1);
    let again = Box::boot_with(sallyport.disk.clone());
    let greeting = again.terminal.take_text();
    assert!(
        greeting.contains("loaded configuration generation 1"),
        "the plan saved first: {greeting}"
    );
}

#[test]
fn the_processor_sleeps_through_virtual_time() {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.wait(Duration::from_secs(61));
    let printed = sallyport.line("show cpu usage");
    assert!(
        printed.contains("CPU utilization for 5 seconds = 0%; 1 minute: 0%; 5 minutes: 0%"),
        "{printed}"
    );
    let printed = sallyport.line("show processes cpu-usage sorted non-zero");
    assert!(printed.contains("PC         Thread"), "{printed}");
    assert!(!printed.contains("Receive"), "{printed}");
    let printed = sallyport.line("show processes");
    let idle = printed
        .lines()
        .find_map(|line| line.trim().strip_suffix(" Idle"))
        .and_then(|millis| millis.parse::<u64>().ok());
    assert!(idle.is_some_and(|millis| millis >= 61_000), "{printed}");
}
