#![no_main]

use mqtt_sansio_fuzz::fuzzing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::roundtrip(data));
