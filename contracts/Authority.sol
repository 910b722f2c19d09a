// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title Authority
/// @notice Who may approve changes of which register, and whose key is suspect since when.
/// @dev Roles, delays and guardians are OpenZeppelin's AccessManager; this adds a policy for each register.
contract Authority is AccessManager {
    /// @notice `threshold` different holders of `role` must approve every change of a register.
    struct Policy {
        uint64 role;
        uint8 threshold;
    }

    /// @notice The register that takes over from another, and from when on.
    struct Succession {
        address successor;
        uint40 since;
    }

    /// @notice How long the public is told of a successor before it takes over.
    uint40 public constant SUCCESSION_DELAY = 30 days;

    /// @notice The time since which a registrar's key is suspect, zero if it is not. Entries before it stay good.
    mapping(address registrar => uint40 time) public suspectSince;

    /// @notice The approval rule of a register. A register without one can change nothing.
    mapping(address register => Policy policy) public policyOf;

    /// @notice A register is never changed: a new version is a new address that is announced here, long before.
    mapping(address register => Succession succession) public successorOf;

    /// @notice The rule by which the courts act on a register.
    mapping(address register => Policy policy) public courtPolicyOf;

    event CourtPolicySet(address indexed register, uint64 role, uint8 threshold);
    event PolicySet(address indexed register, uint64 role, uint8 threshold);
    event SuccessorAnnounced(address indexed register, address successor, uint40 since);
    event Suspected(address indexed registrar, uint40 since);

    error InvalidPolicy(uint64 role, uint8 threshold);
    error InvalidSuspicion(address registrar, uint40 since);
    error AlreadySucceeded(address register, address successor);
    error NoPolicy(address register);
    error TooFewApprovals(uint256 given, uint256 needed);
    error NotCourt(address account);
    error NotRegistrar(address account);

    constructor(address admin) AccessManager(admin) {}

    /// @notice Set the approval rule of a register. Its role may not be the one that everybody has.
    function setPolicy(address register, uint64 role, uint8 threshold) external onlyAuthorized {
        policyOf[register] = _policy(role, threshold);
        emit PolicySet(register, role, threshold);
    }

    /// @notice Set the rule by which the courts act on a register, as `setPolicy`.
    function setCourtPolicy(address register, uint64 role, uint8 threshold) external onlyAuthorized {
        courtPolicyOf[register] = _policy(role, threshold);
        emit CourtPolicySet(register, role, threshold);
    }

    /// @notice Mark a registrar's key as suspect. A mark may be moved to an earlier time, never to a later one or away.
    function markSuspect(address registrar, uint40 since) external onlyAuthorized {
        uint40 marked = suspectSince[registrar];
        if (since == 0 || since > block.timestamp || (marked != 0 && since >= marked)) {
            revert InvalidSuspicion(registrar, since);
        }
        suspectSince[registrar] = since;
        emit Suspected(registrar, since);
    }

    /// @notice Announce the register that takes over from another after SUCCESSION_DELAY; zero withdraws it until then.
    function announceSuccessor(address register, address successor) external onlyAuthorized {
        Succession memory announced = successorOf[register];
        if (announced.since != 0 && announced.since <= block.timestamp) {
            revert AlreadySucceeded(register, announced.successor);
        }
        uint40 since = successor == address(0) ? 0 : uint40(block.timestamp) + SUCCESSION_DELAY;
        successorOf[register] = Succession(successor, since);
        emit SuccessorAnnounced(register, successor, since);
    }

    /// @notice Revert unless these accounts may together approve a change of the calling register.
    /// @param signers Different accounts; the register has checked their order and their signatures.
    function checkApprovers(address[] calldata signers) external view {
        Policy memory policy = policyOf[msg.sender];
        if (policy.threshold == 0) revert NoPolicy(msg.sender);
        if (signers.length < policy.threshold) revert TooFewApprovals(signers.length, policy.threshold);
        for (uint256 i = 0; i < signers.length; ++i) {
            address signer = signers[i];
            (bool isMember, ) = hasRole(policy.role, signer);
            if (!isMember) revert NotRegistrar(signer);
        }
    }

    /// @notice Revert unless these accounts may together act on the calling register as the court.
    /// @param signers As for `checkApprovers`.
    function checkCourt(address[] calldata signers) external view {
        Policy memory court = courtPolicyOf[msg.sender];
        if (court.threshold == 0) revert NoPolicy(msg.sender);
        if (signers.length < court.threshold) revert TooFewApprovals(signers.length, court.threshold);
        for (uint256 i = 0; i < signers.length; ++i) {
            (bool isMember, ) = hasRole(court.role, signers[i]);
            if (!isMember) revert NotCourt(signers[i]);
        }
    }

    /// @notice Revert unless there are enough registrars and enough of the court among these accounts, and nobody else.
    /// Whoever is both counts for the court only.
    /// @param signers As for `checkApprovers`.
    function checkApproversAndCourt(address[] calldata signers) external view {
        Policy memory policy = policyOf[msg.sender];
        Policy memory court = courtPolicyOf[msg.sender];
        if (policy.threshold == 0 || court.threshold == 0) revert NoPolicy(msg.sender);
        uint256 judges = 0;
        for (uint256 i = 0; i < signers.length; ++i) {
            (bool isJudge, ) = hasRole(court.role, signers[i]);
            (bool isRegistrar, ) = hasRole(policy.role, signers[i]);
            if (isJudge) ++judges;
            else if (!isRegistrar) revert NotRegistrar(signers[i]);
        }
        if (judges < court.threshold) revert TooFewApprovals(judges, court.threshold);
        if (signers.length - judges < policy.threshold) {
            revert TooFewApprovals(signers.length - judges, policy.threshold);
        }
    }

    function _policy(uint64 role, uint8 threshold) private pure returns (Policy memory) {
        if (threshold == 0 || role == PUBLIC_ROLE) revert InvalidPolicy(role, threshold);
        return Policy(role, threshold);
    }
}
