#pragma once
#include <filesystem>
#include <string>

/// For make_fuzz_seeds only.
namespace iris::fuzz {

/// Writes one input of a target; ends the program where that fails.
void seed(const char* target, const char* name, const std::string& bytes);

void spool_records_seeds();
void recording_seeds();
/// @param scratch a folder for files that are written on the way.
void packet_path_seeds(const std::filesystem::path& scratch);

} // namespace iris::fuzz
