// THREAD: any - files of the contract into a folder: all of them, or none
#pragma once

#include <filesystem>
#include <span>

#include "clients/cli/contract_files.hpp"

namespace continuo::cli {

/// Makes the folder, and those above it, where they are missing. What is there already with the same content stays as
/// it is; EX_CANTCREAT, before anything is written, where one of the names is something else. Each file appears whole,
/// in the given order: where the last one is, all are. On a failure what this call made is taken away again.
void export_contract(const std::filesystem::path& folder, std::span<const ContractFile> files);

}  // namespace continuo::cli
