//! The suite over the store in memory.

use consign_testkit::Memory;

consign_testkit::conforms!(memory, Memory);
